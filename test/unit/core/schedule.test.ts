import { expect } from 'chai';
import fc from 'fast-check';
import { type RunOutcome, startRun } from '../../../src/core/run.ts';
import {
  backoff,
  dueAgain,
  jittered,
  nextLook,
  pauseAfterDenial,
  verifyBoundOf,
} from '../../../src/core/schedule.ts';
import { between, minutes, seconds } from '../../../src/core/time.ts';
import type { StageSetSpec } from '../../../src/types/stages.ts';
import { failureOf, noon, specOf } from './snapshot-builder.ts';

const settings = { defaultInterval: minutes(10), maxTeardownWait: minutes(60) };

/** How long after noon a run that ended at noon is due again. */
function due(
  outcome: RunOutcome | undefined,
  { spec = specOf(['dev']), attempt = 1 }: { spec?: StageSetSpec; attempt?: number } = {},
): number | undefined {
  const start = {
    id: 'a',
    attempt,
    generation: 1,
    spec,
    purpose: 'Rollout',
    pinned: [],
    startedAt: noon,
    requestedAt: undefined,
  } as const;
  const again = dueAgain({ ...startRun(start, ['dev']), outcome }, spec, settings);
  return again === undefined ? undefined : between(noon, again);
}

describe('the cadence of a StageSet', () => {
  const cases: [string, Partial<StageSetSpec>, { retry: number; success: number }][] = [
    ['is the default without a word', {}, { retry: 10, success: 10 }],
    ['is its interval', { interval: '30m' }, { retry: 30, success: 30 }],
    [
      'after holds is its retryInterval',
      { interval: '30m', retryInterval: '2m' },
      { retry: 2, success: 30 },
    ],
    [
      'after a success is a shorter driftDetectionInterval',
      { interval: '30m', driftDetectionInterval: '5m' },
      { retry: 30, success: 5 },
    ],
    [
      'is never made longer by driftDetectionInterval',
      { interval: '30m', driftDetectionInterval: '1h' },
      { retry: 30, success: 30 },
    ],
    [
      'takes zero and negative values for not set',
      { interval: '0s', retryInterval: '-1m', driftDetectionInterval: '0' },
      { retry: 10, success: 10 },
    ],
    [
      'is a second at least, so that nobody keeps a worker busy',
      { interval: '1ns', retryInterval: '1ms', driftDetectionInterval: '2ns' },
      { retry: 1 / 60, success: 1 / 60 },
    ],
  ];
  for (const [title, rest, { retry, success }] of cases) {
    it(title, () => {
      const spec = specOf(['dev'], rest);
      const converging = { kind: 'Progressing', at: noon, stage: 'dev', message: '' } as const;
      expect(due(converging, { spec })).to.be.within(minutes(retry * 0.95), minutes(retry * 1.05));
      const ended = { kind: 'Succeeded', at: noon } as const;
      expect(due(ended, { spec })).to.be.within(minutes(success * 0.95), minutes(success * 1.05));
    });
  }
});

describe('the verify bound of a stage', () => {
  function bound(checks?: string, stage?: string, spec?: string): number {
    const timeouts = {
      ...(checks === undefined ? {} : { readyChecks: { timeout: checks } }),
      ...(stage === undefined ? {} : { timeout: stage }),
    };
    return verifyBoundOf(
      {
        stages: [{ name: 'dev', sourceRef: { name: 'dev' }, ...timeouts }],
        ...(spec === undefined ? {} : { timeout: spec }),
      },
      'dev',
    );
  }

  it('is the most specific of the three that say one', () => {
    expect(bound('1m', '2m', '3m')).to.equal(minutes(1));
    expect(bound(undefined, '2m', '3m')).to.equal(minutes(2));
    expect(bound(undefined, undefined, '3m')).to.equal(minutes(3));
  });

  it('is 15 minutes when none does', () => {
    expect(bound()).to.equal(minutes(15));
  });

  it('passes over zero and negative values instead of expiring now', () => {
    expect(bound('0s', '-2m', '3m')).to.equal(minutes(3));
    expect(bound('0', '0s', '-1s')).to.equal(minutes(15));
  });

  it("is the spec's for a stage that the spec does not have", () => {
    expect(verifyBoundOf(specOf(['dev'], { timeout: '4m' }), 'gone')).to.equal(minutes(4));
  });
});

describe('waiting', () => {
  it('doubles after each failure, from a second to 1000 seconds', () => {
    const waits = [1, 2, 3, 4, 10, 11, 12, 1_000_000].map((failures) => backoff(failures));
    expect(waits).to.deep.equal([1, 2, 4, 8, 512, 1000, 1000, 1000].map(seconds));
  });

  it('takes no failure for the first', () => {
    expect(backoff(0)).to.equal(seconds(1));
  });

  it('looks at health soon at first, then every two seconds', () => {
    const waits = [0, 1, 2, 3, 4, 5, 6, 1000].map((looks) => between(noon, nextLook(noon, looks)));
    expect(waits).to.deep.equal([100, 200, 400, 800, 1600, 2000, 2000, 2000]);
  });

  it('is spread by at most 5 %, and for one seed always by the same', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 3600 }), (seed, length) => {
        const span = seconds(length);
        const spread = jittered(span, seed);
        expect(spread).to.be.within(span * 0.95 - 0.001, span * 1.05 + 0.001);
        expect(jittered(span, seed)).to.equal(spread);
      }),
    );
  });

  it('is spread over the whole width by different seeds', () => {
    const spread = Array.from({ length: 200 }, (_, seed) => jittered(seconds(100), String(seed)));
    expect(Math.min(...spread)).to.be.below(seconds(96));
    expect(Math.max(...spread)).to.be.above(seconds(104));
  });
});

describe('a failed run is due again', () => {
  it('with growing backoff when it failed', () => {
    const outcome = { kind: 'Failed', at: noon, failure: failureOf() } as const;
    expect([1, 2, 3].map((attempt) => due(outcome, { attempt }))).to.deep.equal(
      [1, 2, 4].map(seconds),
    );
  });

  it('not before the other side wants to hear of us again', () => {
    const hinted = failureOf({ retryAfter: seconds(30) });
    expect(due({ kind: 'Failed', at: noon, failure: hinted })).to.equal(seconds(30));
    expect(due({ kind: 'Failed', at: noon, failure: hinted }, { attempt: 7 })).to.equal(
      seconds(64),
    );
  });

  it('in time, whatever the other side wants', () => {
    const hinted = failureOf({ retryAfter: 1e12 });
    expect(due({ kind: 'Failed', at: noon, failure: hinted })).to.equal(seconds(1000));
  });

  it('after a minute when something must be repaired', () => {
    const outcome = { kind: 'Failed', at: noon, failure: failureOf({ retry: 'Minute' }) } as const;
    expect(due(outcome, { attempt: 9 })).to.equal(minutes(1));
  });

  it('sooner at first for lack of a permission, so that a grant shows within seconds', () => {
    const denied = failureOf({ reason: 'RBACDenied', retry: 'Minute' });
    const outcome = { kind: 'Failed', at: noon, failure: denied } as const;
    const pauses = [1, 2, 3, 4, 5, 6, 1000].map(pauseAfterDenial);
    expect(pauses).to.deep.equal([5, 10, 15, 30, 60, 60, 60].map(seconds));
    for (const [index, pause] of pauses.slice(0, 6).entries()) {
      expect(due(outcome, { attempt: index + 1 })).to.be.within(0.95 * pause, 1.05 * pause);
    }
    expect(pauseAfterDenial(0)).to.equal(seconds(5));
  });

  it('only by an event when a person must clear it', () => {
    const outcome = { kind: 'Failed', at: noon, failure: failureOf({ retry: 'None' }) } as const;
    expect(due(outcome)).to.equal(undefined);
  });

  it('at once when it had not ended at all', () => {
    expect(due(undefined)).to.equal(0);
  });
});
