import { expect } from 'chai';
import { type Answer, askKey } from '../../../../src/core/gates/asks.ts';
import { settleEntry } from '../../../../src/core/gates/entry.ts';
import { newRun } from '../../../../src/core/new-run.ts';
import type { RunProgress } from '../../../../src/core/run.ts';
import type { Snapshot } from '../../../../src/core/snapshot.ts';
import { nextStatus } from '../../../../src/core/status.ts';
import {
  after,
  type Instant,
  instant,
  minutes,
  seconds,
  toRfc3339,
} from '../../../../src/core/time.ts';
import type { ErrorBudget, StageSet, StageSetStatus } from '../../../../src/types/stages.ts';
import { artifactOf, at, done, noon, snapshotOf, specOf, stageSetOf } from '../snapshot-builder.ts';

const source = { prometheus: { address: 'http://prometheus.monitoring:9090', query: 'budget' } };
const errorBudget: ErrorBudget = { source, freezeThreshold: '0.1', onSourceError: 'Hold' };

/** Both stages delivered at `v1`. */
const delivered: StageSetStatus = {
  lastAppliedRevisions: { 'team/dev': 'v1', 'team/prod': 'v1' },
  lastAppliedSnapshot: ['dev', 'prod'].map((stage) => ({ stage, ...artifactOf(stage) })),
  stages: ['dev', 'prod'].map((name) => ({ name, phase: 'Ready', appliedRevision: 'v1' })),
};

function shopWith(status: StageSetStatus = delivered, annotations = {}): StageSet {
  const spec = specOf(['dev', 'prod'], { errorBudget });
  return stageSetOf(spec, { status, metadata: { annotations } });
}

function value(remaining: number, when: Instant = noon): Answer {
  return { kind: 'Value', value: remaining, at: when };
}
const unreadable: Answer = { kind: 'Unreadable', message: 'it answered 500', at: noon };

function worldOf(stageSet: StageSet, answer?: Answer, rest: Partial<Snapshot> = {}): Snapshot {
  const key = askKey({ kind: 'Metric', source });
  const answers = new Map(answer === undefined ? [] : [[key, answer]]);
  return snapshotOf(stageSet, { answers, ...rest });
}

/** What a run with this revision of both stages comes to at its first gate. */
function beginning(world: Snapshot, revision = 'v2'): RunProgress {
  const pinned = ['dev', 'prod'].map((name) => artifactOf(name, revision));
  return settleEntry(newRun(world, pinned), world);
}

describe('error budgets before a stage (part B 4.2, 4.3)', () => {
  it('judge new revisions by what remains now, not by what was read for others', () => {
    const stageSet = shopWith();
    const old = value(1, instant(noon - minutes(3)));
    const before = beginning(worldOf(stageSet, old, { now: old.at }), 'v1');
    const run = beginning(worldOf(stageSet, old, { run: before }));
    expect(run.asks).to.deep.equal([{ kind: 'Metric', source }]);
    const asked = settleEntry(run, worldOf(stageSet, value(0.05), { run }));
    expect(asked.outcome).to.include({ kind: 'Held', stage: 'dev' });
  });

  it('ask again at intervals only for revisions that they hold, whichever attempt it is', () => {
    const stageSet = shopWith();
    const held = beginning(worldOf(stageSet, value(0.05)));
    expect(held.outcome).to.include({ kind: 'Held' });
    const now = after(noon, minutes(5));
    const again = beginning(worldOf(stageSet, value(0.05), { run: held, now }));
    expect(again.asks).to.deep.equal([]);
    expect(again.outcome).to.include({ kind: 'Held' });
    const later = after(noon, minutes(10));
    const due = beginning(worldOf(stageSet, value(0.05), { run: held, now: later }));
    expect(due.asks).to.have.length(1);
  });

  it('do not call a rollout deployed that is half done, though the status is behind (gap: part B 1.4)', () => {
    const stages = [{ name: 'dev' }, { name: 'prod', errorBudget }].map((stage) => ({
      ...stage,
      sourceRef: { name: stage.name },
    }));
    const stageSet = stageSetOf({ stages }, { status: delivered });
    const world = worldOf(stageSet, value(0.05));
    const begun = beginning(world);
    expect(begun.outcome).to.equal(undefined);
    const held = settleEntry(at(begun, done), { ...world, run: begun });
    expect(held.outcome).to.include({ kind: 'Held', stage: 'prod' });
    expect(held.outcome?.kind === 'Held' && held.outcome.hold.deployed).to.equal(false);
  });

  it('hold since they did, over a restart without a freeze, and in the middle of a correction', () => {
    const began = instant(noon - minutes(30));
    const revisions = { 'team/dev': 'v2', 'team/prod': 'v2' };
    const pendingUpdate = { revisions, since: toRfc3339(began) };
    const stageSet = shopWith({ ...delivered, pendingUpdate });
    const restarted = beginning(worldOf(stageSet, unreadable));
    expect(sinceOf(restarted)).to.equal(toRfc3339(began));
    const others = beginning(worldOf(stageSet, unreadable), 'v3');
    expect(sinceOf(others)).to.equal(toRfc3339(noon));

    const correction = { objects: [], whole: true, interrupted: restarted };
    const correcting: RunProgress = { ...restarted, outcome: undefined, correction };
    const now = after(noon, seconds(5));
    const world = worldOf(stageSet, unreadable, { run: correcting, now });
    expect(sinceOf(settleEntry(restarted, world))).to.equal(toRfc3339(began));
  });

  function sinceOf({ outcome }: RunProgress): string | undefined {
    return outcome?.kind === 'Held' ? outcome.hold.holds[0]?.since : undefined;
  }

  it('are on record as passed by the annotation in the middle of a correction, and after a restart', () => {
    const annotations = { 'stages.metio.wtf/budget-override': 'go' };
    const passage = [
      { gate: 'ErrorBudget', stage: 'dev', annotation: 'stages.metio.wtf/budget-override' },
    ];
    const held = beginning(worldOf(shopWith(), value(0.05)));
    const correction = { objects: [], whole: true, interrupted: held };
    const correcting: RunProgress = { ...held, outcome: undefined, correction };
    const meanwhile = worldOf(shopWith(delivered, annotations), value(0.05), { run: correcting });
    expect(settleEntry(held, meanwhile).passages).to.deep.equal(passage);

    const { freeze: budgetFreeze } = held.budget ?? {};
    const status = { ...delivered, ...(budgetFreeze === undefined ? {} : { budgetFreeze }) };
    const restarted = beginning(worldOf(shopWith(status, annotations)));
    expect(restarted.passages).to.deep.equal(passage);
    // Nothing would have held it.
    expect(beginning(worldOf(shopWith(delivered, annotations))).passages).to.equal(undefined);
  });

  it('leave no freeze behind when they go out of the spec', () => {
    const freeze = { remaining: '0.05', freezeThreshold: '0.1', resumeThreshold: '0.1' };
    const stages = (delivered.stages ?? []).map((stage) => ({ ...stage, budgetFreeze: freeze }));
    const status = { ...delivered, stages, budgetFreeze: freeze };
    const stageSet = stageSetOf(specOf(['dev', 'prod']), { status });
    const world = worldOf(stageSet);
    const run = beginning(world);
    const next = settleEntry(at(run, done), { ...world, run });
    const inputs = { verdict: undefined, inventories: new Map(), runbookBase: '', now: noon };
    const after = nextStatus({ stageSet, run: next, ...inputs });
    expect(after).to.not.have.property('budgetFreeze');
    expect(after.stages?.map(({ budgetFreeze }) => budgetFreeze)).to.deep.equal([
      undefined,
      undefined,
    ]);
  });
});
