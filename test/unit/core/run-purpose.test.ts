import { expect } from 'chai';
import { decide } from '../../../src/core/decide.ts';
import type { RunOutcome, RunProgress } from '../../../src/core/run.ts';
import { purposeAfter, purposeByStatus } from '../../../src/core/run-purpose.ts';
import { after, minutes } from '../../../src/core/time.ts';
import {
  artifactOf,
  at,
  done,
  failureOf,
  noon,
  snapshotOf,
  specOf,
  stageSetOf,
  unavailable,
} from './snapshot-builder.ts';

const spec = specOf(['dev']);
const started = decide(snapshotOf(stageSetOf(spec))).run;

function runWith(outcome: RunOutcome | undefined): RunProgress {
  if (started === undefined) throw new Error('the run should start');
  return { ...at(started, done), prune: 'Done', outcome };
}

const succeeded = runWith({ kind: 'Succeeded', at: noon });

describe('a run after one that is remembered', () => {
  const failed = runWith({ kind: 'Failed', at: noon, stage: 'dev', failure: failureOf() });
  const progressing = runWith({ kind: 'Progressing', at: noon, stage: 'dev', message: 'wait' });
  const cases: [string, RunProgress, string][] = [
    ['re-asserts what succeeded', succeeded, 'Reassert'],
    ['retries what failed', failed, 'Retry'],
    ['retries what ran out of time', progressing, 'Retry'],
    ['goes on as what was cut off by a forced reconcile', runWith(undefined), 'Rollout'],
  ];
  for (const [name, before, purpose] of cases) {
    it(name, () => expect(purposeAfter(before, before.id)).to.equal(purpose));
    it(`rolls out another snapshot after one that ${name}`, () => {
      expect(purposeAfter(before, 'another')).to.equal('Rollout');
    });
  }

  it('re-asserts after a hold that came in between, so that drift is told', () => {
    const later = after(noon, minutes(30));
    const { next, run } = decide(
      snapshotOf(stageSetOf(spec), {
        run: succeeded,
        now: later,
        sources: [unavailable('SourceNotReady')],
      }),
    );
    expect(next.kind).to.equal('Rest');
    expect(decide(snapshotOf(stageSetOf(spec), { run, now: later })).run?.purpose).to.equal(
      'Reassert',
    );
  });

  it('rolls out a spec that was edited during a hold', () => {
    const edited = stageSetOf(spec, {
      metadata: { generation: 2 },
      // The hold has been told for this generation, which was never attempted.
      status: {
        observedGeneration: 2,
        lastAttemptedRevisions: { 'team/dev': 'v1' },
        conditions: [condition('False', 'DependencyNotReady')],
      },
    });
    expect(decide(snapshotOf(edited, { run: succeeded })).run?.purpose).to.equal('Rollout');
    expect(decide(snapshotOf(edited)).run?.purpose).to.equal('Rollout');
  });
});

describe('a run after a restart of the controller', () => {
  const pinned = [artifactOf('dev')];

  function after(status: 'True' | 'False' | 'Unknown', reason: string): string {
    return purposeByStatus(
      stageSetOf(spec, {
        status: {
          observedGeneration: 1,
          lastAttemptedRevisions: { 'team/dev': 'v1' },
          stages: [{ name: 'dev', appliedRevision: 'v1' }],
          conditions: [condition(status, reason)],
        },
      }),
      pinned,
    );
  }

  // The last four are no proof that this generation was ever attempted.
  const cases: [Parameters<typeof after>, string][] = [
    [['True', 'Succeeded'], 'Reassert'],
    [['False', 'StageFailed'], 'Retry'],
    [['False', 'StageProgressing'], 'Retry'],
    [['False', 'RBACDenied'], 'Retry'],
    [['Unknown', 'Progressing'], 'Rollout'],
    [['False', 'DependencyNotReady'], 'Rollout'],
    [['False', 'Stalled'], 'Rollout'],
    [['False', 'SourceNotReady'], 'Rollout'],
    [['False', 'ResolveFailed'], 'Rollout'],
  ];
  for (const [[status, reason], purpose] of cases) {
    it(`is a ${purpose} where Ready was ${reason}`, () => {
      expect(after(status, reason)).to.equal(purpose);
    });
  }
});

describe('a source that the API server failed to answer for', () => {
  it('is asked for again with growing pauses', () => {
    const failing = {
      ...unavailable('ResolveFailed', 'internal error'),
      retry: 'Backoff',
    } as const;
    expect(decide(snapshotOf(stageSetOf(spec), { sources: [failing] })).next).to.deep.equal({
      kind: 'Rest',
      ready: { status: 'False', reason: 'ResolveFailed', message: 'internal error' },
      wakeAt: undefined,
      retry: 'Backoff',
    });
  });
});

function condition(
  status: 'True' | 'False' | 'Unknown',
  reason: string,
): {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  lastTransitionTime: string;
} {
  return { type: 'Ready', status, reason, message: '', lastTransitionTime: '' };
}
