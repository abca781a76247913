import { expect } from 'chai';
import { decide } from '../../../src/core/decide.ts';
import { awaitsHealth, lookBy, pauseBetweenLooks } from '../../../src/core/look-by.ts';
import type { RunProgress } from '../../../src/core/run.ts';
import { nextLook } from '../../../src/core/schedule.ts';
import { after, milliseconds, seconds } from '../../../src/core/time.ts';
import {
  applying,
  at,
  done,
  establishing,
  health,
  noon,
  snapshotOf,
  specOf,
  stageSetOf,
  verifying,
} from './snapshot-builder.ts';

function runWith(...steps: Parameters<typeof at>[1][]): RunProgress {
  const { run } = decide(snapshotOf(stageSetOf(specOf(['crds', 'app']))));
  if (run === undefined) throw new Error('a first snapshot starts a run');
  return at(run, ...steps);
}

const later = after(noon, seconds(20));
const soon = after(noon, milliseconds(100));

describe('news of an object that is waited for', () => {
  for (const step of [verifying(health('web')), establishing(health('web'))]) {
    it(`brings the next look of a stage that is ${step.kind} forward`, () => {
      const run = runWith(done, { ...step, nextLook: later });
      expect(lookBy(run, soon).stages[1]?.step).to.deep.equal({ ...step, nextLook: soon });
      expect(awaitsHealth(run)).to.equal(true);
    });
  }

  it('never puts a look off', () => {
    const run = runWith(done, { ...verifying(health('web')), nextLook: soon });
    expect(lookBy(run, later)).to.equal(run);
  });

  it('changes nothing where nothing is waited for', () => {
    for (const run of [runWith(), runWith(done, applying()), runWith(done, done)]) {
      expect(lookBy(run, soon)).to.equal(run);
      expect(awaitsHealth(run)).to.equal(false);
    }
  });

  it('is no news of a run that has ended', () => {
    const run = runWith(done, verifying(health('web')));
    const outcome = { kind: 'Progressing', at: noon, stage: 'app', message: '' } as const;
    expect(awaitsHealth({ ...run, outcome })).to.equal(false);
  });

  it('makes looks follow each other by 100 ms, by more where there are many objects', () => {
    expect(pauseBetweenLooks(runWith(done, verifying(health('web'))))).to.equal(100);
    const many = Array.from({ length: 5000 }, (_, index) => health(`web-${index}`));
    expect(pauseBetweenLooks(runWith(done, verifying(...many)))).to.equal(5000);
  });
});

describe('looks without news', () => {
  const pauses = (news: 'Polled' | 'Watched'): number[] =>
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 20].map((looks) => nextLook(noon, looks, news) - noon);

  it('are 2 s apart where nothing is watched', () => {
    expect(pauses('Polled')).to.deep.equal([
      100, 200, 400, 800, 1600, 2000, 2000, 2000, 2000, 2000, 2000,
    ]);
  });

  it('get as rare as one in 30 s where everything is watched', () => {
    expect(pauses('Watched')).to.deep.equal([
      2000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000, 30_000, 30_000,
    ]);
  });
});
