import { expect } from 'chai';
import fc from 'fast-check';
import {
  afterCorrection,
  type Contention,
  correctableFrom,
} from '../../../../src/core/drift/contention.ts';
import { after, type Instant, instant, minutes, seconds } from '../../../../src/core/time.ts';

const noon = instant(Date.parse('2026-01-01T12:00:00Z'));
const longest = minutes(10);

/** What corrections at these seconds make of an object. */
function correctedAt(...times: readonly number[]): Contention | undefined {
  return times.reduce<Contention | undefined>(
    (before, time) => afterCorrection(before, after(noon, seconds(time)), longest),
    undefined,
  );
}

/** Seconds of the pause after corrections that come as soon as they may, one after the other. */
function pausesOf(corrections: number, bound = longest): number[] {
  const pauses: number[] = [];
  let contention: Contention | undefined;
  let now = noon;
  for (let count = 0; count < corrections; count += 1) {
    contention = afterCorrection(contention, now, bound);
    pauses.push((contention.pause ?? 0) / 1000);
    now = correctableFrom(contention);
  }
  return pauses;
}

describe('an object that is corrected', () => {
  it('may be corrected again at once, five times a minute', () => {
    const contention = correctedAt(0, 1, 2, 3, 4);
    expect(contention?.pause).to.equal(undefined);
    expect(contention === undefined ? 0 : correctableFrom(contention)).to.equal(
      after(noon, seconds(4)),
    );
  });

  it('is left alone for 10 s after the sixth time, then twice as long each time', () => {
    expect(pausesOf(12)).to.deep.equal([0, 0, 0, 0, 0, 10, 20, 40, 80, 160, 320, 600]);
  });

  it('is left alone no longer than the interval of the StageSet', () => {
    expect(pausesOf(9, seconds(30))).to.deep.equal([0, 0, 0, 0, 0, 10, 20, 30, 30]);
  });

  it('is left alone for 10 s even where the interval is shorter', () => {
    expect(pausesOf(7, seconds(1))).to.deep.equal([0, 0, 0, 0, 0, 10, 10]);
  });

  it('is never contested when it is corrected every 15 seconds', () => {
    expect(correctedAt(0, 15, 30, 45, 60, 75, 90, 105, 120)?.pause).to.equal(undefined);
  });

  it('starts over when nobody has changed it for a minute beyond the pause', () => {
    const contested = [0, 0, 0, 0, 0, 0];
    expect(correctedAt(...contested, 69)?.pause).to.equal(seconds(20));
    expect(correctedAt(...contested, 70)).to.deep.equal({
      corrections: [after(noon, seconds(70))],
      pause: undefined,
    });
  });

  it('costs few writes however fast and long somebody writes against us', () => {
    const edits = fc.array(fc.integer({ min: 0, max: 3_600_000 }), { maxLength: 500 });
    fc.assert(
      fc.property(edits, (times) => {
        const corrections = play([...times].sort((one, other) => one - other));
        for (const [index, at] of corrections.entries()) {
          const within = corrections.slice(index).filter((other) => other < at + 10_000);
          expect(within.length).to.be.at.most(6);
        }
      }),
    );
  });

  it('costs 17 writes in an hour of edits ten times a second', () => {
    const everyTenth = Array.from({ length: 36_000 }, (_, index) => index * 100);
    expect(play(everyTenth).length).to.equal(17);
  });
});

/** When edits at these times are corrected: at once, or when the pause of the last one is over. */
function play(edits: readonly number[]): number[] {
  const corrections: number[] = [];
  let contention: Contention | undefined;
  for (const edit of edits) {
    const last = corrections.at(-1);
    // It was corrected after this edit already.
    if (last !== undefined && edit <= last) continue;
    const from: Instant = contention === undefined ? instant(0) : correctableFrom(contention);
    const at = instant(Math.max(edit, from));
    contention = afterCorrection(contention, at, longest);
    corrections.push(at);
  }
  return corrections;
}
