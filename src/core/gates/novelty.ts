import type { StageSet } from '../../types/stages.ts';
import type { PinnedArtifact } from '../pinned-artifact.ts';
import type { RunProgress } from '../run.ts';

/** How the pinned artifacts of a run differ from what is applied (part B 1.4). */
export interface Novelty {
  /** By stage: another revision than the one that is applied, or none is. */
  readonly stages: readonly boolean[];
  /** Some stage is to get another revision. */
  readonly revisions: boolean;
  /** A stage has its new revision already, and others have not. */
  readonly begun: boolean;
  /** All that is pinned was delivered by a run that came to its end. */
  readonly delivered: boolean;
  /** What was delivered last stands in all stages: nothing of what is new has begun. */
  readonly deployed: boolean;
}

/**
 * Compared stage by stage: two sources of different kinds may share `namespace/name`, under which
 * `status.lastAppliedRevisions` has one entry for both.
 */
export function noveltyOf({ status }: StageSet, run: RunProgress): Novelty {
  const { spec, pinned } = run;
  const delivered = new Map(
    (status?.lastAppliedSnapshot ?? []).map(({ stage, revision }) => [stage, revision]),
  );
  // A run may be quicker than its status: what it has got through is applied.
  const stages = spec.stages.map(
    ({ name }, index) =>
      run.stages[index]?.step.kind !== 'Ready' &&
      pinned[index]?.revision !== appliedIn(status, name),
  );
  const isDelivered = spec.stages.map(({ name }, index) => {
    const before = delivered.get(name) ?? deliveredBySource(status, pinned[index]);
    return pinned[index]?.revision === before;
  });
  const ahead = stages.some((isNew, index) => !isNew && isDelivered[index] === false);
  const revisions = stages.some(Boolean);
  const begun = revisions && ahead;
  return {
    stages,
    revisions,
    begun,
    delivered: !revisions && isDelivered.every(Boolean),
    deployed:
      !begun &&
      Object.keys(status?.lastAppliedRevisions ?? {}).length > 0 &&
      !isMixed(status, delivered),
  };
}

function appliedIn(status: StageSet['status'], stage: string): string | undefined {
  return status?.stages?.find(({ name }) => name === stage)?.appliedRevision;
}

/** A rollout that another one has overtaken left some stage at a revision that was never delivered. */
function isMixed(
  status: StageSet['status'],
  delivered: ReadonlyMap<string, string | undefined>,
): boolean {
  return (status?.stages ?? []).some(({ name, appliedRevision }) => {
    const before = delivered.get(name);
    return before !== undefined && appliedRevision !== undefined && appliedRevision !== before;
  });
}

function deliveredBySource(
  status: StageSet['status'],
  artifact: PinnedArtifact | undefined,
): string | undefined {
  return artifact === undefined ? undefined : status?.lastAppliedRevisions?.[artifact.source];
}
