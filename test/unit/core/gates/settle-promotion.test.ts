import { expect } from 'chai';
import { type Answer, type Answers, askKey } from '../../../../src/core/gates/asks.ts';
import { promoteAnnotation } from '../../../../src/core/gates/promote-annotation.ts';
import { settlePromotion } from '../../../../src/core/gates/settle-promotion.ts';
import { heldStages } from '../../../../src/core/history/held-stages.ts';
import { type RunProgress, type StageStep, startRun } from '../../../../src/core/run.ts';
import type { Snapshot } from '../../../../src/core/snapshot.ts';
import { after, type Instant, minutes, seconds } from '../../../../src/core/time.ts';
import type { Promotion, StageRun, StageStatus } from '../../../../src/types/stages.ts';
import { artifactOf, at, noon, snapshotOf, specOf, stageSetOf } from '../snapshot-builder.ts';
import { webRestarts } from './stage-at-gates.ts';

const restartGate = { checks: [webRestarts] };
const ask = { kind: 'Restarts', stage: 'dev', check: webRestarts } as const;

type Said =
  | { readonly kind: 'Value'; readonly value: number }
  | { readonly kind: 'Unreadable'; readonly message: string };

function answered(said: Said, at: Instant = noon): Answers {
  return new Map<string, Answer>([[askKey(ask), { ...said, at }]]);
}

/** A run of two stages, the first of which is at its gates. */
function atGates(
  promotion: Promotion,
  entries: StageStatus[] = [],
): { run: RunProgress; snapshot: Snapshot } {
  const spec = specOf(['dev', 'prod'], { retryInterval: '1m' });
  const [dev, prod] = spec.stages;
  if (dev === undefined || prod === undefined) throw new Error('there are two stages');
  const gated = { ...spec, stages: [{ ...dev, promotion }, prod] };
  const snapshot = snapshotOf(stageSetOf(gated, { status: { stages: entries } }));
  const start = {
    id: 'run',
    generation: 1,
    spec: gated,
    attempt: 1,
    purpose: 'Rollout',
    pinned: [artifactOf('dev'), artifactOf('prod')],
    startedAt: noon,
    requestedAt: undefined,
  } as const;
  const run = at(startRun(start, ['dev', 'prod']), { kind: 'AtGates' });
  return { run, snapshot };
}

function stepOf(run: RunProgress): StageStep | undefined {
  return run.stages[0]?.step;
}

describe('a run with a stage at gates that ask', () => {
  it('has the asks on the step, and is not held by what nobody knows yet', () => {
    const { run, snapshot } = atGates({ restartGate });
    const asking = settlePromotion(run, snapshot);
    expect(asking.outcome).to.equal(undefined);
    expect(stepOf(asking)).to.deep.include({ kind: 'AtGates', asks: [ask] });
    const ready = settlePromotion(asking, snapshot, answered({ kind: 'Value', value: 0 }));
    expect(stepOf(ready)?.kind).to.equal('Ready');
  });

  it('is held at once by a soak that goes on whatever the answers are', () => {
    const { run, snapshot } = atGates({ restartGate, soak: '10m' });
    const asking = settlePromotion(run, snapshot);
    expect(asking.outcome).to.deep.include({ kind: 'Held', stage: 'dev' });
    expect(stepOf(asking)).to.deep.include({ asks: [ask] });
    const held = settlePromotion(asking, snapshot, answered({ kind: 'Value', value: 0 }));
    expect(stepOf(held)).to.not.have.property('asks');
    expect(held.outcome).to.deep.include({ at: noon });
  });

  it('is not said to be free while it is asked for the last time', () => {
    const { run, snapshot } = atGates({ restartGate, soak: '10m' });
    const zero = { kind: 'Value', value: 0 } as const;
    const held = settlePromotion(run, snapshot, answered(zero));
    const later = { ...snapshot, now: after(noon, minutes(10)) };
    const asking = settlePromotion(held, later, answered(zero));
    if (asking.outcome?.kind !== 'Held') throw new Error('it is not held');
    expect(asking.outcome.hold).to.deep.include({ reason: 'Soaking', until: undefined });
    expect(asking.outcome.hold.holds.map(({ gate }) => gate)).to.deep.equal(['RestartGate']);
  });

  it('(edge case 16, part B 13) loses nothing that it knows when a gate cannot be asked', () => {
    const { run, snapshot } = atGates({ restartGate, soak: '10m' });
    const ledger = { done: [] } as unknown as NonNullable<RunProgress['stages'][0]['ledger']>;
    const [dev, prod] = run.stages;
    if (dev === undefined || prod === undefined) throw new Error('there are two stages');
    const before = settlePromotion({ ...run, stages: [{ ...dev, ledger }, prod] }, snapshot);
    const unreadable = { kind: 'Unreadable', message: 'the cluster is away' } as const;
    const troubled = settlePromotion(before, snapshot, answered(unreadable));
    expect(troubled.stages[0]?.ledger).to.equal(ledger);
    expect(troubled.stages[1]).to.equal(prod);
    const retryAt = after(noon, seconds(1));
    expect(stepOf(troubled)).to.deep.include({
      kind: 'AtGates',
      unreadable: { message: 'the cluster is away', failures: 1, at: noon, retryAt },
    });
    if (troubled.outcome?.kind !== 'Held') throw new Error('it is not held');
    expect(troubled.outcome.hold).to.deep.include({ reason: 'Soaking', until: retryAt });
  });

  it('tries again later where a gate could not be asked the first time', () => {
    const { run, snapshot } = atGates({ restartGate });
    const unreadable = { kind: 'Unreadable', message: 'the cluster is away' } as const;
    const troubled = settlePromotion(run, snapshot, answered(unreadable));
    expect(troubled.outcome).to.equal(undefined);
    expect(stepOf(troubled)).to.not.have.property('asks');
    const later = { ...snapshot, now: after(noon, seconds(1)) };
    const again = settlePromotion(troubled, later, answered(unreadable));
    expect(stepOf(again)).to.deep.include({ asks: [ask] });
    const worse = settlePromotion(again, later, answered(unreadable, later.now));
    expect(stepOf(worse)).to.have.nested.property('unreadable.failures', 2);
  });

  it('goes on after a restart with what is in the status', () => {
    const { run, snapshot } = atGates({ restartGate, soak: '10m' });
    const held = settlePromotion(run, snapshot, answered({ kind: 'Value', value: 3 }));
    const step = stepOf(held);
    const state = step?.kind === 'AtGates' ? step.state : undefined;
    if (state === undefined) throw new Error('nothing is remembered');
    const entry = { name: 'dev', appliedRevision: 'v1', promotionState: state };
    const restarted = atGates({ restartGate, soak: '10m' }, [entry]);
    const later = { ...restarted.snapshot, now: after(noon, seconds(59)) };
    const again = settlePromotion(restarted.run, later);
    expect(stepOf(again)).to.not.have.property('asks');
    expect(again.outcome).to.deep.include({ kind: 'Held' });
    const moved = atGates({ restartGate, soak: '10m' }, [{ ...entry, appliedRevision: 'v0' }]);
    const anew = stepOf(settlePromotion(moved.run, { ...moved.snapshot, now: later.now }));
    if (anew?.kind !== 'AtGates') throw new Error('it is not at its gates');
    expect(anew.state?.restartBaseline).to.deep.equal([{ name: 'web', restarts: 3 }]);
    expect(anew.state?.soakUntil).to.equal('2026-01-01T12:10:59Z');
  });

  it('(edge case 15, part B 13) is not promoted by a token that was handled for a revision before', () => {
    const entry = { name: 'dev', appliedRevision: 'v0', lastHandledPromotion: '1' };
    const { run, snapshot } = atGates({ requireManualPromotion: true }, [entry]);
    const annotated = (value: string): Snapshot => {
      const { stageSet } = snapshot;
      const annotations = { [promoteAnnotation]: value };
      const metadata = { ...stageSet.metadata, annotations };
      return { ...snapshot, stageSet: { ...stageSet, metadata } };
    };
    expect(stepOf(settlePromotion(run, annotated('dev@1')))?.kind).to.equal('AtGates');
    expect(stepOf(settlePromotion(run, annotated('dev@2')))?.kind).to.equal('Ready');
  });
});

describe('a stage at gates that ask, as the API shows it', () => {
  function shown(
    promotion: Promotion,
    state: StageStatus['promotionState'],
    now: Instant,
  ): unknown {
    const entry = { name: 'dev', appliedRevision: 'v1', ...(state && { promotionState: state }) };
    const { stageSet } = atGates(promotion, [entry]).snapshot;
    const run: StageRun = {
      apiVersion: 'stages.metio.wtf/v1',
      kind: 'StageRun',
      metadata: { name: 'shop-1' },
      spec: {
        runId: 'run',
        sequence: 1,
        trigger: 'SourceChanged',
        generation: 1,
        snapshot: [
          {
            stage: 'dev',
            revision: 'v1',
            digest: 'sha256:v1',
            sourceRef: { kind: 'ExternalArtifact', name: 'dev' },
          },
        ],
      },
      status: {
        phase: 'Held',
        stages: [
          {
            name: 'dev',
            phase: 'Held',
            gates: [{ gate: 'RestartGate', heldFrom: '2026-01-01T12:00:00Z' }],
          },
        ],
      },
    };
    const [dev] = heldStages({ stageSet, run }, now);
    return dev?.holds.map(({ gate, since }) => [gate, since]);
  }

  it('is held as recorded, also when it is due to be asked again', () => {
    const state = {
      phase: 'Blocked',
      since: '2026-01-01T12:00:00Z',
      enteredAt: '2026-01-01T11:59:00.000Z',
      checkedAt: '2026-01-01T12:00:00.000Z',
      restartBaseline: [{ name: 'web', restarts: 0, observed: 9 }],
    } satisfies StageStatus['promotionState'];
    const blocked = ['RestartGate', '2026-01-01T12:00:00Z'];
    expect(shown({ restartGate }, state, after(noon, seconds(5)))).to.deep.equal([blocked]);
    expect(shown({ restartGate }, state, after(noon, minutes(30)))).to.deep.include(blocked);
  });
});
