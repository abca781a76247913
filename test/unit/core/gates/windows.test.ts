import { expect } from 'chai';
import { decideWindows } from '../../../../src/core/gates/windows.ts';
import { instant } from '../../../../src/core/time.ts';
import type { UpdateWindow } from '../../../../src/types/stages.ts';

/** The answer at an instant: whether it is allowed, and when that changes. */
function answer(windows: readonly UpdateWindow[], at: string): [allowed: boolean, until: string] {
  const decision = decideWindows(windows, instant(Date.parse(at)));
  if (decision.kind === 'Problem') throw new Error(decision.message);
  const { allowed, nextChange } = decision;
  return [allowed, nextChange === undefined ? 'unknown' : new Date(nextChange).toISOString()];
}

function decider(windows: readonly UpdateWindow[], at: string): string {
  const decision = decideWindows(windows, instant(Date.parse(at)));
  if (decision.kind === 'Problem') throw new Error(decision.message);
  const { by } = decision;
  return by === undefined ? 'none' : `${by.index}: ${by.description}`;
}

const open = true;
const closed = false;

const nightly = { type: 'Allow', schedule: '0 22 * * *', duration: '4h' } as const;
const weekend = {
  type: 'Deny',
  schedule: '0 18 * * FRI',
  duration: '60h',
  timeZone: 'Europe/Berlin',
} as const;
const christmas = {
  type: 'Deny',
  from: '2026-12-20T00:00:00Z',
  to: '2027-01-03T00:00:00+01:00',
} as const;

describe('update windows', () => {
  it('permit everything where there are none', () => {
    expect(answer([], '2026-06-01T12:00:00Z')).to.deep.equal([open, 'unknown']);
    expect(decider([], '2026-06-01T12:00:00Z')).to.equal('none');
  });

  it('count their start and not their end, also to the millisecond', () => {
    const at = (time: string): [boolean, string] => answer([nightly], `2026-06-01T${time}Z`);
    expect(at('21:59:59.999')).to.deep.equal([closed, '2026-06-01T22:00:00.000Z']);
    expect(at('22:00:00.000')).to.deep.equal([open, '2026-06-02T02:00:00.000Z']);
    expect(at('22:00:00.001')).to.deep.equal([open, '2026-06-02T02:00:00.000Z']);
    expect(answer([nightly], '2026-06-02T01:59:59.999Z')[0]).to.equal(open);
    expect(answer([nightly], '2026-06-02T02:00:00.000Z')[0]).to.equal(closed);
  });

  it('count the start and not the end of absolute windows', () => {
    expect(answer([christmas], '2026-12-19T23:59:59.999Z')).to.deep.equal([
      open,
      '2026-12-20T00:00:00.000Z',
    ]);
    expect(answer([christmas], '2026-12-20T00:00:00Z')).to.deep.equal([
      closed,
      '2027-01-02T23:00:00.000Z',
    ]);
    expect(answer([christmas], '2027-01-02T23:00:00Z')).to.deep.equal([open, 'unknown']);
  });

  it('are closed by a Deny whatever an Allow says', () => {
    const always: UpdateWindow = { type: 'Allow', schedule: '* * * * *', duration: '1h' };
    for (const windows of [
      [always, christmas],
      [christmas, always],
    ]) {
      expect(answer(windows, '2026-12-24T12:00:00Z')).to.deep.equal([
        closed,
        '2027-01-02T23:00:00.000Z',
      ]);
    }
  });

  it('that only deny are open outside of them', () => {
    expect(answer([weekend], '2026-06-03T12:00:00Z')).to.deep.equal([
      open,
      '2026-06-05T16:00:00.000Z',
    ]);
    expect(decider([weekend], '2026-06-03T12:00:00Z')).to.equal('none');
  });

  it('stay closed for ever once their only Allow is past', () => {
    const past: UpdateWindow = {
      type: 'Allow',
      from: '2020-01-01T00:00:00Z',
      to: '2020-01-02T00:00:00Z',
    };
    expect(answer([past], '2026-06-01T12:00:00Z')).to.deep.equal([closed, 'unknown']);
    expect(answer([past, weekend], '2026-06-06T12:00:00Z')).to.deep.equal([closed, 'unknown']);
  });

  it('say which one decides: the Deny that closes, or else the Allow that opens', () => {
    expect(decider([nightly, weekend], '2026-06-05T23:00:00Z')).to.equal(
      '1: Deny "0 18 * * FRI" for 60h (Europe/Berlin)',
    );
    expect(decider([weekend, nightly], '2026-06-03T23:00:00Z')).to.equal(
      '1: Allow "0 22 * * *" for 4h (UTC)',
    );
    expect(decider([weekend, nightly], '2026-06-03T12:00:00Z')).to.equal('none');
    expect(decider([christmas], '2026-12-24T12:00:00Z')).to.equal(
      '0: Deny from 2026-12-20T00:00:00Z to 2027-01-03T00:00:00+01:00',
    );
    const tokyo: UpdateWindow = { ...nightly, schedule: 'TZ=Asia/Tokyo 0 22 * * *' };
    expect(decider([tokyo], '2026-06-03T13:00:00Z')).to.equal(
      '0: Allow "TZ=Asia/Tokyo 0 22 * * *" for 4h',
    );
  });

  it('last as long as they say in elapsed time, also where clocks change (part B 1.3)', () => {
    const night: UpdateWindow = {
      type: 'Allow',
      schedule: '0 1 * * *',
      duration: '4h',
      timeZone: 'Europe/Berlin',
    };
    // From 01:00 to 06:00 on the wall in spring, to 04:00 in autumn.
    expect(answer([night], '2026-03-29T00:00:00Z')).to.deep.equal([
      open,
      '2026-03-29T04:00:00.000Z',
    ]);
    expect(answer([night], '2026-10-24T23:00:00Z')).to.deep.equal([
      open,
      '2026-10-25T03:00:00.000Z',
    ]);
  });

  it('that would open in the skipped hour stay closed that day (part B 1.3)', () => {
    const skipped: UpdateWindow = {
      type: 'Allow',
      schedule: '30 2 * * *',
      duration: '1h',
      timeZone: 'Europe/Berlin',
    };
    expect(answer([skipped], '2026-03-28T12:00:00Z')).to.deep.equal([
      closed,
      '2026-03-30T00:30:00.000Z',
    ]);
  });

  it('that open in the repeated hour do so twice (part B 1.3)', () => {
    const twice: UpdateWindow = {
      type: 'Deny',
      schedule: '30 2 * * *',
      duration: '20m',
      timeZone: 'Europe/Berlin',
    };
    expect(answer([twice], '2026-10-25T00:30:00Z')).to.deep.equal([
      closed,
      '2026-10-25T00:50:00.000Z',
    ]);
    expect(answer([twice], '2026-10-25T00:50:00Z')).to.deep.equal([
      open,
      '2026-10-25T01:30:00.000Z',
    ]);
  });

  it('open for a moment only where the duration is shorter than a millisecond', () => {
    const moment: UpdateWindow = { type: 'Allow', schedule: '0 0 * * *', duration: '1ns' };
    expect(answer([moment], '2026-06-01T00:00:00Z')).to.deep.equal([
      open,
      '2026-06-01T00:00:00.001Z',
    ]);
  });
});

describe('the next change of update windows', () => {
  it('is the end of the latest occurrence that covers it (edge case 3, part B 13)', () => {
    const overlapping: UpdateWindow = { type: 'Deny', schedule: '0 8-12 * * *', duration: '90m' };
    expect(answer([overlapping], '2026-06-01T08:10:00Z')).to.deep.equal([
      closed,
      '2026-06-01T13:30:00.000Z',
    ]);
    const touching: UpdateWindow = { type: 'Deny', schedule: '0 8-12 * * *', duration: '60m' };
    expect(answer([touching], '2026-06-01T08:10:00Z')).to.deep.equal([
      closed,
      '2026-06-01T13:00:00.000Z',
    ]);
    const apart: UpdateWindow = { type: 'Deny', schedule: '0 8-12 * * *', duration: '59m' };
    expect(answer([apart], '2026-06-01T08:10:00Z')).to.deep.equal([
      closed,
      '2026-06-01T08:59:00.000Z',
    ]);
    const workdays: UpdateWindow = { type: 'Deny', schedule: '0 0 * * 1-5', duration: '26h' };
    expect(answer([workdays], '2026-06-01T08:00:00Z')).to.deep.equal([
      closed,
      '2026-06-06T02:00:00.000Z',
    ]);
  });

  it('is when the answer changes, not when some window does (edge case 4, part B 13)', () => {
    // The night is allowed, but the weekend's Deny is on until Monday 04:00 UTC.
    expect(answer([nightly, weekend], '2026-06-05T23:00:00Z')).to.deep.equal([
      closed,
      '2026-06-08T22:00:00.000Z',
    ]);
    // The Deny ends within an Allow.
    const freeze: UpdateWindow = {
      type: 'Deny',
      from: '2026-06-01T12:00:00Z',
      to: '2026-06-02T23:30:00Z',
    };
    expect(answer([nightly, freeze], '2026-06-01T12:30:00Z')).to.deep.equal([
      closed,
      '2026-06-02T23:30:00.000Z',
    ]);
    // One Allow goes on where another one ends.
    const early: UpdateWindow = { type: 'Allow', schedule: '0 1 * * *', duration: '5h' };
    expect(answer([nightly, early], '2026-06-01T22:30:00Z')).to.deep.equal([
      open,
      '2026-06-02T06:00:00.000Z',
    ]);
    // A Deny begins before all that is allowed ends.
    const short: UpdateWindow = { type: 'Deny', schedule: '0 3 * * *', duration: '1m' };
    expect(answer([nightly, early, short], '2026-06-01T22:30:00Z')).to.deep.equal([
      open,
      '2026-06-02T03:00:00.000Z',
    ]);
    // Three Denies in a row.
    const row: UpdateWindow[] = ['01', '02', '03'].map((day) => ({
      type: 'Deny',
      from: `2026-06-${day}T00:00:00Z`,
      to: `2026-06-0${Number(day) + 1}T00:00:00Z`,
    }));
    expect(answer(row, '2026-06-01T12:00:00Z')).to.deep.equal([closed, '2026-06-04T00:00:00.000Z']);
  });

  it('is not known where the answer never changes (gap: part B 1.3)', () => {
    const daily: UpdateWindow = { type: 'Deny', schedule: '0 0 * * *', duration: '24h' };
    expect(answer([daily], '2026-06-01T12:00:00Z')).to.deep.equal([closed, 'unknown']);
    const halves: UpdateWindow[] = [
      { type: 'Deny', schedule: '0 0 * * *', duration: '12h' },
      { type: 'Deny', schedule: '0 12 * * *', duration: '12h' },
    ];
    expect(answer(halves, '2026-06-01T12:00:00Z')).to.deep.equal([closed, 'unknown']);
    const shut: UpdateWindow[] = [
      { type: 'Deny', schedule: '0 0 * * *', duration: '12h' },
      { type: 'Allow', schedule: '0 6 * * *', duration: '1h' },
    ];
    expect(answer(shut, '2026-06-01T13:00:00Z')).to.deep.equal([closed, 'unknown']);
    const always: UpdateWindow = { type: 'Allow', schedule: '*/5 * * * *', duration: '5m' };
    expect(answer([always], '2026-06-01T12:00:00Z')).to.deep.equal([open, 'unknown']);
  });

  it('is found in the one hour by which a day is longer', () => {
    const daily: UpdateWindow = {
      type: 'Deny',
      schedule: '0 0 * * *',
      duration: '24h',
      timeZone: 'Europe/Berlin',
    };
    expect(answer([daily], '2026-06-01T12:00:00Z')).to.deep.equal([
      closed,
      '2026-10-25T22:00:00.000Z',
    ]);
    expect(answer([daily], '2026-10-25T22:00:00Z')).to.deep.equal([
      open,
      '2026-10-25T23:00:00.000Z',
    ]);
  });

  it('is found behind very many occurrences', () => {
    const elevenMonths: UpdateWindow = { type: 'Deny', schedule: '*/5 * * 1-11 *', duration: '5m' };
    expect(answer([elevenMonths], '2026-01-15T00:00:00Z')).to.deep.equal([
      closed,
      '2026-12-01T00:00:00.000Z',
    ]);
  });

  it('may be farther away than a schedule is followed, where it is an absolute time', () => {
    const long: UpdateWindow = {
      type: 'Deny',
      from: '2020-01-01T00:00:00Z',
      to: '2060-01-01T00:00:00Z',
    };
    expect(answer([long], '2026-06-01T12:00:00Z')).to.deep.equal([
      closed,
      '2060-01-01T00:00:00.000Z',
    ]);
    expect(answer([{ ...long, type: 'Allow' }], '2026-06-01T12:00:00Z')).to.deep.equal([
      open,
      '2060-01-01T00:00:00.000Z',
    ]);
  });

  it('never comes for a schedule that never starts (edge case 1, part B 13)', () => {
    const begun = performance.now();
    const allow: UpdateWindow = { type: 'Allow', schedule: '0 0 31 4 *', duration: '1h' };
    expect(answer([allow], '2026-06-01T12:00:00Z')).to.deep.equal([closed, 'unknown']);
    const deny: UpdateWindow = { type: 'Deny', schedule: '0 0 30 2 *', duration: '9000h' };
    expect(answer([deny], '2026-06-01T12:00:00Z')).to.deep.equal([open, 'unknown']);
    expect(performance.now() - begun).to.be.lessThan(1_000);
  });

  it('costs little for occurrences of days that begin every minute (edge case 2, part B 13)', () => {
    const begun = performance.now();
    for (const duration of ['1m', '2m', '1h', '72h', '8760h', '2562047h']) {
      for (const type of ['Allow', 'Deny'] as const) {
        const window: UpdateWindow = { type, schedule: '* * * * *', duration };
        const expected = [type === 'Allow', 'unknown'];
        expect(answer([window], '2026-06-01T12:00:30Z'), duration).to.deep.equal(expected);
      }
    }
    expect(performance.now() - begun).to.be.lessThan(2_000);
  });

  it('costs little in as many windows as are allowed, without any effect on each other', () => {
    const windows = Array.from({ length: 100 }, (_, index): UpdateWindow => {
      if (index % 2 === 0) return { type: 'Deny', schedule: '* * * * *', duration: '30s' };
      return { type: 'Allow', schedule: '* * * * *', duration: '20s', timeZone: 'Africa/Cairo' };
    });
    const begun = performance.now();
    expect(answer(windows, '2026-06-01T12:00:45Z')).to.deep.equal([closed, 'unknown']);
    expect(performance.now() - begun).to.be.lessThan(2_000);
  });
});

describe('a faulty update window', () => {
  it('fails the whole decision, even where another one would deny', () => {
    const windows: UpdateWindow[] = [
      { type: 'Deny', from: '2026-06-01T00:00:00Z', to: '2026-07-01T00:00:00Z' },
      { type: 'Allow', schedule: '0 22 * * 7', duration: '4h' },
      { type: 'Allow' },
    ];
    const decision = decideWindows(windows, instant(Date.parse('2026-06-15T00:00:00Z')));
    expect(decision).to.deep.include({ kind: 'Problem', index: 1, field: 'schedule' });
  });
});
