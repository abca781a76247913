import { expect } from 'chai';
import { decide } from '../../../src/core/decide.ts';
import type { Verdict } from '../../../src/core/rest.ts';
import type { RunProgress, StageStep } from '../../../src/core/run.ts';
import { nextStatus, type StatusInput } from '../../../src/core/status.ts';
import { after, minutes } from '../../../src/core/time.ts';
import type { StageSetStatus, StageStatus } from '../../../src/types/stages.ts';
import {
  applying,
  at,
  done,
  establishing,
  failureOf,
  health,
  noon,
  pending,
  snapshotOf,
  specOf,
  stageSetOf,
  verifying,
} from './snapshot-builder.ts';

const succeeded: Verdict = { status: 'True', reason: 'Succeeded', message: 'all done' };
const rolling: Verdict = { status: 'Unknown', reason: 'Progressing', message: 'rolling out' };

function statusAfter(
  input: Partial<StatusInput> & { previous?: StageSetStatus; metadata?: object },
): StageSetStatus {
  const { previous, metadata = {}, ...rest } = input;
  return nextStatus({
    stageSet: stageSetOf(specOf(['dev', 'prod']), { metadata, status: previous }),
    run: undefined,
    verdict: undefined,
    inventories: new Map(),
    runbookBase: 'https://docs.example.com/',
    now: noon,
    ...rest,
  });
}

function requested(token: string): object {
  return { annotations: { 'reconcile.fluxcd.io/requestedAt': token } };
}

/** A rollout of `v2` to both stages with its stages at these steps. */
function runAt(...steps: StageStep[]): RunProgress {
  const { run } = decide(snapshotOf(stageSetOf(specOf(['dev', 'prod']))));
  if (run === undefined) throw new Error('a run starts at the first look');
  const pinned = run.pinned.map((artifact) => ({ ...artifact, revision: 'v2' }));
  return at({ ...run, pinned }, ...steps);
}

function ended(run: RunProgress): RunProgress {
  return { ...run, prune: 'Done', outcome: { kind: 'Succeeded', at: noon } };
}

function stageAt(step: StageStep, previous?: StageStatus): StageStatus | undefined {
  const stages = previous === undefined ? [] : [previous];
  return statusAfter({ run: runAt(step), previous: { stages } }).stages?.[0];
}

describe('the status of a stage', () => {
  const before: StageStatus = { name: 'dev', phase: 'Ready', appliedRevision: 'v1' };

  const phases: [string, StageStep, StageStatus][] = [
    ['keeps its entry before it is reached', pending, before],
    [
      'is Applying while its groups are applied',
      applying(),
      { name: 'dev', phase: 'Applying', appliedRevision: 'v1' },
    ],
    [
      'is Applying while a group is established',
      establishing(health('crd', 'InProgress')),
      { name: 'dev', phase: 'Applying', appliedRevision: 'v1' },
    ],
    [
      'has the new revision once all of it is applied',
      verifying(health('web', 'InProgress')),
      { name: 'dev', phase: 'Verifying', appliedRevision: 'v2' },
    ],
    ['is Ready when it is verified', done, { name: 'dev', phase: 'Ready', appliedRevision: 'v2' }],
    [
      'keeps its revision when it fails, and says why',
      { kind: 'Failed', failure: failureOf() },
      { name: 'dev', phase: 'Failed', appliedRevision: 'v1', message: 'apply: no such thing' },
    ],
    [
      'keeps its revision when the artifact is not even fetched',
      { kind: 'Failed', failure: failureOf({ operation: 'fetch artifact' }) },
      {
        name: 'dev',
        phase: 'Failed',
        appliedRevision: 'v1',
        message: 'fetch artifact: no such thing',
      },
    ],
    [
      'has the new revision when only its health failed: it was applied in full',
      { kind: 'Failed', failure: failureOf({ operation: 'verify' }) },
      { name: 'dev', phase: 'Failed', appliedRevision: 'v2', message: 'verify: no such thing' },
    ],
  ];
  for (const [title, step, expected] of phases) {
    it(title, () => {
      expect(stageAt(step, before)).to.deep.equal(expected);
    });
  }

  it('has no revision before anything of it was applied in full', () => {
    for (const step of [pending, applying(), establishing()]) {
      expect(stageAt(step)).not.to.have.property('appliedRevision');
    }
    const failed: StageStep = { kind: 'Failed', failure: failureOf() };
    expect(stageAt(failed)).not.to.have.property('appliedRevision');
  });

  it('is Pending before it is reached for the first time', () => {
    expect(stageAt(pending)).to.deep.equal({ name: 'dev', phase: 'Pending' });
  });

  it('drops the message of a failure that is over', () => {
    const failed: StageStatus = { name: 'dev', phase: 'Failed', message: 'apply: no such thing' };
    expect(stageAt(done, failed)).to.deep.equal({
      name: 'dev',
      phase: 'Ready',
      appliedRevision: 'v2',
    });
  });

  it('has a message of bounded length', () => {
    const failure = failureOf({ message: 'x'.repeat(100_000) });
    expect(stageAt({ kind: 'Failed', failure })?.message).to.have.lengthOf.at.most(32_768);
  });

  it('is Pruning while the finished run deletes what is no longer wanted', () => {
    const { stages } = statusAfter({ run: runAt(done, done) });
    expect(stages?.map(({ phase }) => phase)).to.deep.equal(['Pruning', 'Pruning']);
    const after = statusAfter({ run: ended(runAt(done, done)) });
    expect(after.stages?.map(({ phase }) => phase)).to.deep.equal(['Ready', 'Ready']);
  });

  it('stays Ready while it is only re-asserted', () => {
    const run: RunProgress = { ...runAt(applying()), purpose: 'Reassert' };
    const { stages } = statusAfter({ run, previous: { stages: [before] } });
    expect(stages?.[0]).to.deep.equal(before);
  });

  it('counts what its inventory holds', () => {
    const inventories = new Map([['dev', { entries: 7, shards: 2 }]]);
    const { stages } = statusAfter({ run: runAt(done), inventories });
    expect(stages).to.deep.equal([
      { name: 'dev', phase: 'Ready', appliedRevision: 'v2', entriesCount: 7, shards: 2 },
      { name: 'prod', phase: 'Pending' },
    ]);
  });
});

describe('the list of stages', () => {
  it('keeps all that a stage recorded before when the run did not get to it', () => {
    const prod: StageStatus = {
      name: 'prod',
      phase: 'Ready',
      appliedRevision: 'v1',
      lastHandledPromotion: 'token',
      executedActions: ['migrate'],
    };
    const run = runAt({ kind: 'Failed', failure: failureOf() });
    expect(statusAfter({ run, previous: { stages: [prod] } }).stages?.[1]).to.deep.equal(prod);
  });

  it('drops stages that left the spec and follows its order', () => {
    const stages: StageStatus[] = [
      { name: 'gone', phase: 'Ready' },
      { name: 'prod', phase: 'Ready' },
      { name: 'dev', phase: 'Ready' },
    ];
    const status = statusAfter({ run: runAt(), previous: { stages } });
    expect(status.stages?.map(({ name }) => name)).to.deep.equal(['dev', 'prod']);
  });

  it('has stages that came into the spec while the run goes on without them', () => {
    const stageSet = stageSetOf(specOf(['dev', 'new', 'prod']));
    const { stages } = statusAfter({ stageSet, run: runAt(done, applying()) });
    expect(stages?.map(({ name, phase }) => [name, phase])).to.deep.equal([
      ['dev', 'Ready'],
      ['new', 'Pending'],
      ['prod', 'Applying'],
    ]);
  });

  it('stays as it is while there is no run', () => {
    const previous: StageSetStatus = { stages: [{ name: 'dev', phase: 'Ready' }] };
    const verdict: Verdict = { status: 'False', reason: 'SourceNotReady', message: 'wait' };
    expect(statusAfter({ previous, verdict }).stages).to.deep.equal(previous.stages);
  });
});

describe('the revisions of a run', () => {
  it('are attempted from its start, and applied only by its success', () => {
    const attempted = { 'team/dev': 'v2', 'team/prod': 'v2' };
    const previous = { lastAppliedRevisions: { 'team/dev': 'v1', 'team/prod': 'v1' } };
    const under = statusAfter({ run: runAt(done, done), previous });
    expect(under.lastAttemptedRevisions).to.deep.equal(attempted);
    expect(under.lastAppliedRevisions).to.deep.equal(previous.lastAppliedRevisions);
    const over = statusAfter({ run: ended(runAt(done, done)), previous });
    expect(over.lastAppliedRevisions).to.deep.equal(attempted);
  });

  it('are not applied by a run that failed or still converges', () => {
    for (const outcome of [
      { kind: 'Failed', at: noon, failure: failureOf() },
      { kind: 'Progressing', at: noon, stage: 'dev', message: '' },
    ] as const) {
      const status = statusAfter({ run: { ...runAt(done, done), outcome } });
      expect(status).not.to.have.property('lastAppliedRevisions');
    }
  });

  it('come with the request that the run answers', () => {
    const run: RunProgress = { ...runAt(), requestedAt: 'now, please' };
    expect(statusAfter({ run, verdict: rolling }).lastHandledReconcileAt).to.equal('now, please');
  });

  it('leave a newer request open while the run under way does not answer it', () => {
    const run: RunProgress = { ...runAt(), requestedAt: 'first' };
    const status = statusAfter({ run, verdict: rolling, metadata: requested('second') });
    expect(status.lastHandledReconcileAt).to.equal('first');
  });
});

describe('a request for a reconcile', () => {
  for (const reason of ['InvalidSpec', 'SourceNotReady']) {
    it(`is handled by saying ${reason}`, () => {
      const verdict: Verdict = { status: 'False', reason, message: 'no' };
      const status = statusAfter({ verdict, metadata: requested('now') });
      expect(status.lastHandledReconcileAt).to.equal('now');
    });
  }

  it('stays open while the StageSet is suspended', () => {
    const verdict: Verdict = { status: 'False', reason: 'Suspended', message: 'no' };
    const status = statusAfter({ verdict, metadata: requested('now') });
    expect(status).not.to.have.property('lastHandledReconcileAt');
  });
});

describe('the Ready condition of a StageSet', () => {
  it('says the verdict, with its runbook where there is something to do', () => {
    const held: Verdict = { status: 'False', reason: 'StageFailed', message: 'no' };
    const metadata = { generation: 4 };
    expect(statusAfter({ verdict: succeeded, metadata }).conditions).to.deep.equal([
      {
        type: 'Ready',
        ...succeeded,
        lastTransitionTime: '2026-01-01T12:00:00Z',
        observedGeneration: 4,
      },
    ]);
    expect(statusAfter({ verdict: held }).conditions?.[0]?.message).to.equal(
      'no (runbook: https://docs.example.com/stagefailed/)',
    );
  });

  it('keeps its time until its status changes', () => {
    const previous = statusAfter({ verdict: succeeded });
    const later = after(noon, minutes(1));
    const same = { ...succeeded, message: 'all done again' };
    const kept = statusAfter({ previous, verdict: same, now: later });
    expect(kept.conditions?.[0]).to.include({
      message: 'all done again',
      lastTransitionTime: '2026-01-01T12:00:00Z',
    });
    const moved = statusAfter({ previous, verdict: rolling, now: later });
    expect(moved.conditions?.[0]?.lastTransitionTime).to.equal('2026-01-01T12:01:00Z');
  });

  it('leaves conditions of others alone', () => {
    const other = {
      type: 'Audited',
      status: 'True',
      reason: 'Fine',
      message: '',
      lastTransitionTime: '2025-01-01T00:00:00Z',
    } as const;
    const { conditions } = statusAfter({ previous: { conditions: [other] }, verdict: succeeded });
    expect(conditions?.map(({ type }) => type)).to.deep.equal(['Audited', 'Ready']);
    expect(conditions?.[0]).to.deep.equal(other);
  });

  it('stays as it is without a verdict, and so does the observed generation', () => {
    const previous = { ...statusAfter({ verdict: succeeded }), observedGeneration: 1 };
    const status = statusAfter({ previous, metadata: { generation: 2 } });
    expect(status).to.deep.equal(previous);
  });

  it('comes with the generation that was acted on', () => {
    const status = statusAfter({ verdict: rolling, metadata: { generation: 9 } });
    expect(status.observedGeneration).to.equal(9);
  });

  it('changes nothing else when the StageSet is suspended', () => {
    const previous: StageSetStatus = {
      observedGeneration: 1,
      lastHandledReconcileAt: 'before',
      stages: [{ name: 'gone', phase: 'Ready' }],
    };
    const verdict: Verdict = { status: 'False', reason: 'Suspended', message: 'resume it' };
    const { conditions, ...rest } = statusAfter({
      previous,
      verdict,
      metadata: { generation: 2 },
    });
    expect(rest).to.deep.equal(previous);
    expect(conditions?.[0]).to.include(verdict);
  });
});
