import type {
  RecordedStage,
  StageRun,
  StageRunStatus,
  StageSet,
} from '../../../../src/types/stages.ts';
import { specOf, stageSetOf } from '../snapshot-builder.ts';

/** The record of run `sequence` of StageSet `team/shop`, whose stages are at these revisions. */
export function runOf(
  sequence: number,
  revisions: Readonly<Record<string, string>>,
  status: StageRunStatus,
): StageRun {
  const owner = { apiVersion: 'stages.metio.wtf/v1', kind: 'StageSet', name: 'shop' };
  return {
    apiVersion: 'stages.metio.wtf/v1',
    kind: 'StageRun',
    metadata: {
      name: `shop-${sequence}`,
      namespace: 'team',
      uid: `uid-of-run-${sequence}`,
      labels: { 'stages.metio.wtf/stageset': 'shop' },
      ownerReferences: [{ ...owner, uid: 'uid-of-shop', controller: true }],
    },
    spec: {
      runId: `run-${sequence}`,
      sequence,
      trigger: 'SourceChanged',
      generation: 1,
      snapshot: Object.entries(revisions).map(([stage, revision]) => ({
        stage,
        revision,
        digest: `sha256:${revision}`,
      })),
    },
    status,
  };
}

/** Stage `dev`, held by these gates since eleven. */
export function heldStage(...gates: readonly string[]): RecordedStage {
  return {
    name: 'dev',
    phase: 'Held',
    startedAt: '2026-01-01T10:50:00Z',
    gates: gates.map((gate) => ({ gate, heldFrom: '2026-01-01T11:00:00Z' })),
  };
}

type Gated = NonNullable<NonNullable<StageSet['spec']>['stages'][number]['promotion']>;
type State = NonNullable<
  NonNullable<NonNullable<StageSet['status']>['stages']>[number]['promotionState']
>;

/** StageSet `team/shop` whose stage `dev` at `v1` has gates, with what they remember. */
export function gatedStageSet(
  promotion: Gated,
  promotionState: State,
  metadata: object = {},
): StageSet {
  const spec = specOf(['dev', 'prod']);
  const stages = spec.stages.map((stage) =>
    stage.name === 'dev' ? { ...stage, promotion } : stage,
  );
  const entry = { name: 'dev', phase: 'Verifying', appliedRevision: 'v1', promotionState } as const;
  return stageSetOf({ ...spec, stages }, { metadata, status: { stages: [entry] } });
}
