import type { Hold } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { StageSet } from '../../types/stages.ts';
import { requestedAtAnnotation } from '../annotations.ts';
import { patchNeeds } from '../gates/needs.ts';
import type { Verdict } from '../rest.ts';

/**
 * The gate that keeps a run from beginning, by the Ready condition that the reconciler would write;
 * undefined where that is no gate, but a spec that nobody can carry out.
 */
export function holdBeforeRun({ reason, message }: Verdict, stageSet: StageSet): Hold | undefined {
  switch (reason) {
    case 'Suspended':
      return {
        gate: 'Suspended',
        reason: message,
        releasedBy: 'Person',
        needs: patchNeeds,
        command: resumeCommand(stageSet),
      };
    case 'DependencyNotReady':
    case 'Stalled':
      return { gate: 'Dependency', reason: message, releasedBy: 'Repair' };
    case 'SourceNotReady':
    case 'ArtifactNotFound':
    case 'ResolveFailed':
    case 'RBACDenied':
      return { gate: 'SourceNotReady', reason: message, releasedBy: 'Repair' };
    case 'ActionDirty':
      return {
        gate: 'ActionDirty',
        reason: message,
        releasedBy: 'Person',
        needs: patchNeeds,
        command: reconcileCommand(stageSet),
      };
    default:
      return undefined;
  }
}

function resumeCommand({ metadata }: StageSet): string {
  const { namespace = 'default', name } = metadata;
  return (
    `kubectl --namespace ${namespace} patch stageset/${name} --type merge ` +
    `--patch '{"spec":{"suspend":false}}'`
  );
}

function reconcileCommand({ metadata }: StageSet): string {
  const { namespace = 'default', name } = metadata;
  return (
    `kubectl --namespace ${namespace} annotate stageset/${name} --overwrite ` +
    `${requestedAtAnnotation}="$(date +%s)"`
  );
}

/** What a hold means for the plan: a person or a repair must release it, or it releases itself. */
export function heldVerdict(holds: readonly Hold[]): 'Held' | 'Blocked' | undefined {
  if (holds.length === 0) return undefined;
  const needsSomebody = holds.some(
    ({ releasedBy }) => releasedBy === 'Person' || releasedBy === 'Repair',
  );
  return needsSomebody ? 'Blocked' : 'Held';
}
