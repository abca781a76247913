import { expect } from 'chai';
import { type Decision, decide } from '../../../src/core/decide.ts';
import type { RunOutcome, RunProgress, StageStep } from '../../../src/core/run.ts';
import type { Snapshot } from '../../../src/core/snapshot.ts';
import { after, between, milliseconds, minutes, seconds } from '../../../src/core/time.ts';
import type { StageSetSpec } from '../../../src/types/stages.ts';
import {
  applying,
  artifactOf,
  at,
  done,
  establishing,
  failureOf,
  health,
  noon,
  pending,
  ready,
  snapshotOf,
  specOf,
  stageSetOf,
  unavailable,
  verifying,
} from './snapshot-builder.ts';

const spec = specOf(['dev', 'prod']);

function runOf({ run }: Decision): RunProgress {
  if (run === undefined) throw new Error('there is no run');
  return run;
}

const started = runOf(decide(snapshotOf(stageSetOf(spec))));

/** A run with its stages at these steps, seen by an otherwise quiet world. */
function under(steps: readonly StageStep[], rest: Partial<Snapshot> = {}): Snapshot {
  return snapshotOf(stageSetOf(spec), { run: at(started, ...steps), ...rest });
}

function endedBy(outcome: RunOutcome, rest: Partial<Snapshot> = {}): Snapshot {
  const run: RunProgress = { ...at(started, done, done), prune: 'Done', outcome };
  return snapshotOf(stageSetOf(spec), { run, ...rest });
}

describe('before a run', () => {
  function held(over: Partial<StageSetSpec>, rest: Partial<Snapshot> = {}): Decision {
    return decide(snapshotOf(stageSetOf({ ...spec, ...over }), { run: started, ...rest }));
  }

  it('a StageSet gets its finalizer first of all, even a suspended one', () => {
    const stageSet = stageSetOf(
      { ...spec, suspend: true },
      { metadata: { finalizers: ['other'] } },
    );
    expect(decide(snapshotOf(stageSet)).next).to.deep.equal({ kind: 'AddFinalizer' });
  });

  it('a suspended StageSet rests until it is changed, and forgets its run', () => {
    expect(held({ suspend: true })).to.deep.equal({
      run: undefined,
      next: {
        kind: 'Rest',
        ready: {
          status: 'False',
          reason: 'Suspended',
          message: 'Suspended: set spec.suspend to false to resume',
        },
        wakeAt: undefined,
      },
    });
  });

  it('a refused spec is told with its fields, and looked at again after a minute', () => {
    const problems = [{ path: 'spec.stages[1].name', message: 'is dev already' }];
    expect(held({}, { problems })).to.deep.equal({
      run: undefined,
      next: {
        kind: 'Rest',
        ready: {
          status: 'False',
          reason: 'InvalidSpec',
          message: 'spec.stages[1].name: is dev already',
        },
        wakeAt: after(noon, minutes(1)),
      },
    });
  });

  const waits: [string, number, number][] = [
    ['SourceNotReady', 1.9, 2.1],
    ['ArtifactNotFound', 1.9, 2.1],
    ['ResolveFailed', 1, 1],
    ['RBACDenied', 1, 1],
  ];
  for (const [reason, least, most] of waits) {
    it(`${reason} of any source holds all stages, for ${least} to ${most} minutes`, () => {
      const sources = [ready('dev'), unavailable(reason, 'look there')];
      const over = stageSetOf({ ...spec, retryInterval: '2m' });
      const { run, next } = decide(snapshotOf(over, { sources }));
      expect(run).to.equal(undefined);
      if (next.kind !== 'Rest') throw new Error(`it should rest, not ${next.kind}`);
      expect(next.ready).to.deep.equal({ status: 'False', reason, message: 'look there' });
      expect(between(noon, next.wakeAt ?? noon)).to.be.within(minutes(least), minutes(most));
    });
  }

  it('a run starts at stage one with all artifacts pinned', () => {
    const { run, next } = decide(snapshotOf(stageSetOf(spec)));
    expect(next).to.deep.equal({ kind: 'PrepareStage', stage: 0 });
    expect(run).to.deep.include({
      generation: 1,
      spec,
      attempt: 1,
      purpose: 'Rollout',
      pinned: [artifactOf('dev'), artifactOf('prod')],
      startedAt: noon,
      prune: 'Pending',
      outcome: undefined,
    });
    expect(run?.stages.map(({ name, step }) => [name, step.kind])).to.deep.equal([
      ['dev', 'Pending'],
      ['prod', 'Pending'],
    ]);
  });
});

describe('the next thing of a run', () => {
  const soon = after(noon, seconds(1));
  const cases: [string, StageStep[], object][] = [
    ['is to prepare a stage', [done, pending], { kind: 'PrepareStage', stage: 1 }],
    ['is to apply a group', [applying(1, 3)], { kind: 'ApplyGroup', stage: 0, group: 1 }],
    [
      'is to look at a group that others build on',
      [establishing(health('crd', 'InProgress'))],
      { kind: 'LookAtHealth', stage: 0 },
    ],
    [
      'is the next group once that is established',
      [establishing(health('crd'))],
      { kind: 'ApplyGroup', stage: 0, group: 1 },
    ],
    [
      'is to look at the health of a stage',
      [done, verifying(health('web', 'InProgress'))],
      { kind: 'LookAtHealth', stage: 1 },
    ],
    [
      'is the next stage once that is healthy',
      [verifying(health('web'))],
      { kind: 'PrepareStage', stage: 1 },
    ],
    ['is to prune when all stages are ready', [done, done], { kind: 'Prune' }],
  ];
  for (const [title, steps, next] of cases) {
    it(title, () => {
      expect(decide(under(steps)).next).to.deep.equal(next);
    });
  }

  it('is to rest until a look is due, and to say what is waited for', () => {
    const step = { ...verifying(health('web', 'InProgress')), nextLook: soon };
    expect(decide(under([done, step])).next).to.deep.equal({
      kind: 'Rest',
      ready: {
        status: 'Unknown',
        reason: 'Progressing',
        message:
          'Rolling out, stage 2 of 2 (prod): ' +
          '1 of 1 not ready: Deployment/team/web: InProgress it is',
      },
      wakeAt: soon,
    });
  });

  it('is to rest until somebody says that the stage is built', () => {
    const run = under([done, pending], { building: true });
    expect(decide(run).next).to.deep.equal({
      kind: 'Rest',
      ready: {
        status: 'Unknown',
        reason: 'Progressing',
        message: 'Rolling out, stage 2 of 2 (prod): building',
      },
      wakeAt: undefined,
    });
    expect(decide({ ...run, building: false }).next).to.deep.equal({
      kind: 'PrepareStage',
      stage: 1,
    });
  });

  it('is to rest until a new kind may be served', () => {
    const step: StageStep = {
      kind: 'Applying',
      group: 0,
      groups: 1,
      health: [],
      unserved: { since: noon, nextTry: soon },
    };
    expect(decide(under([step])).next).to.include({ kind: 'Rest', wakeAt: soon });
    expect(decide(under([step], { now: soon })).next.kind).to.equal('ApplyGroup');
  });

  it('is to end it when it has pruned', () => {
    const run: RunProgress = { ...at(started, done, done), prune: 'Done' };
    const { run: ended, next } = decide(snapshotOf(stageSetOf(spec), { run }));
    expect(ended?.outcome).to.deep.equal({ kind: 'Succeeded', at: noon });
    expect(next).to.deep.include({
      kind: 'Rest',
      ready: { status: 'True', reason: 'Succeeded', message: 'Applied and verified 2 stage(s)' },
    });
  });

  it('is silent while it retries or re-asserts what was judged before', () => {
    const step = { ...verifying(health('web', 'InProgress')), nextLook: soon };
    for (const purpose of ['Retry', 'Reassert'] as const) {
      const run: RunProgress = { ...at(started, step), purpose };
      const { next } = decide(snapshotOf(stageSetOf(spec), { run }));
      expect(next).to.deep.equal({ kind: 'Rest', ready: undefined, wakeAt: soon });
    }
  });
});

describe('an ended run', () => {
  const succeeded: RunOutcome = { kind: 'Succeeded', at: noon };
  const later = after(noon, minutes(1));

  it('rests until its interval is over, and then re-asserts what it applied', () => {
    const { next } = decide(endedBy(succeeded, { now: later }));
    expect(next.kind).to.equal('Rest');
    const over = decide(endedBy(succeeded, { now: after(noon, minutes(11)) }));
    expect(over.next).to.deep.equal({ kind: 'PrepareStage', stage: 0 });
    expect(over.run).to.include({ attempt: 1, startedAt: after(noon, minutes(11)) });
  });

  it('is done again at once when its inventory was lost', () => {
    const { next } = decide(endedBy(succeeded, { now: later, reassert: true }));
    expect(next).to.deep.equal({ kind: 'PrepareStage', stage: 0 });
  });

  it('is due at once when its inventory was lost while it ran', () => {
    const run: RunProgress = { ...at(started, done, done), prune: 'Done' };
    const { next } = decide(snapshotOf(stageSetOf(spec), { run, reassert: true }));
    expect(next).to.include({ kind: 'Rest', wakeAt: noon });
  });

  it('says which stage failed at what, and is tried again with its attempts counted', () => {
    const outcome: RunOutcome = {
      kind: 'Failed',
      at: noon,
      stage: 'prod',
      failure: failureOf({ message: 'refused', reason: 'StageFailed', retry: 'Minute' }),
    };
    const { next } = decide(endedBy(outcome));
    expect(next).to.deep.equal({
      kind: 'Rest',
      ready: { status: 'False', reason: 'StageFailed', message: 'Stage prod: apply: refused' },
      wakeAt: later,
    });
    expect(decide(endedBy(outcome, { now: later })).run?.attempt).to.equal(2);
  });

  it('counts attempts of one snapshot only', () => {
    const outcome: RunOutcome = { kind: 'Failed', at: noon, failure: failureOf() };
    const sources = [ready('dev', 'v2'), ready('prod')];
    const { run } = decide(endedBy(outcome, { sources }));
    expect(run?.attempt).to.equal(1);
  });

  it('counts its attempts anew when a person asks for another', () => {
    const metadata = { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } };
    const outcome: RunOutcome = { kind: 'Failed', at: noon, failure: failureOf() };
    const { stageSet } = snapshotOf(stageSetOf(spec, { metadata }));
    const { run } = decide({ ...endedBy(outcome), stageSet });
    expect(run).to.include({ attempt: 1, requestedAt: 'now' });
  });

  it('names no stage for a failure that is of none', () => {
    const failure = failureOf({ operation: 'prune', message: 'denied' });
    const { next } = decide(endedBy({ kind: 'Failed', at: noon, failure }));
    expect(next.kind === 'Rest' && next.ready?.message).to.equal('prune: denied');
  });

  it('holds, and goes on after the retry interval, when a stage still converges', () => {
    const outcome: RunOutcome = { kind: 'Progressing', at: noon, stage: 'dev', message: 'wait' };
    const { next } = decide(endedBy(outcome));
    expect(next).to.deep.include({
      ready: { status: 'False', reason: 'StageProgressing', message: 'wait' },
    });
  });
});

describe('a run that no memory tells of', () => {
  const revisions = { 'team/dev': 'v1', 'team/prod': 'v1' };
  const stages = [
    { name: 'dev', phase: 'Ready', appliedRevision: 'v1' },
    { name: 'prod', phase: 'Ready', appliedRevision: 'v1' },
  ] as const;

  function purpose(
    status: 'True' | 'False' | 'Unknown',
    rest: { generation?: number; attempted?: object; prod?: string } = {},
  ): string | undefined {
    const { generation = 1, attempted = revisions, prod = 'v1' } = rest;
    const [dev, last] = stages;
    const stageSet = stageSetOf(spec, {
      status: {
        observedGeneration: generation,
        lastAttemptedRevisions: { ...attempted },
        stages: [dev, { ...last, appliedRevision: prod }],
        conditions: [{ type: 'Ready', status, reason: 'Any', message: '', lastTransitionTime: '' }],
      },
    });
    return decide(snapshotOf(stageSet)).run?.purpose;
  }

  it('re-asserts what the status says was applied and verified', () => {
    expect(purpose('True')).to.equal('Reassert');
  });

  it('retries what the status says was attempted without success', () => {
    expect(purpose('False')).to.equal('Retry');
    expect(purpose('True', { prod: 'v0' })).to.equal('Retry');
  });

  it('rolls out what was not attempted, or what a restart cut off', () => {
    expect(purpose('True', { generation: 0 })).to.equal('Rollout');
    expect(purpose('True', { attempted: { 'team/dev': 'v1' } })).to.equal('Rollout');
    expect(purpose('Unknown')).to.equal('Rollout');
  });
});

describe('a run that another run follows', () => {
  it('is another one by its start, even with the same id', () => {
    const again = endedBy({ kind: 'Succeeded', at: noon }, { now: after(noon, minutes(11)) });
    const { run } = decide(again);
    expect(run?.id).to.equal(started.id);
    expect(between(started.startedAt, run?.startedAt ?? noon)).to.be.above(milliseconds(0));
  });
});
