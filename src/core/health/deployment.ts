import { countIn, type ReadObject, wholeIn } from './fields.ts';
import { current, failed, inProgress, type ObjectHealth } from './object-health.ts';

/** The controller takes this deadline as none at all, and then never writes `Progressing`. */
const noDeadline = 0x7fff_ffff;

export function deploymentHealth({ spec, status, conditions }: ReadObject): ObjectHealth {
  const progressing = conditions.filter(({ type }) => type === 'Progressing');
  if (progressing.some(({ reason }) => reason === 'ProgressDeadlineExceeded')) {
    return failed('no progress within its deadline');
  }
  const wanted = countIn(spec, 'replicas', 1);
  const replicas = countIn(status, 'replicas', 0);
  const updated = countIn(status, 'updatedReplicas', 0);
  const available = countIn(status, 'availableReplicas', 0);
  const ready = countIn(status, 'readyReplicas', 0);
  if (replicas < wanted) return inProgress(`${replicas} of ${wanted} replicas created`);
  if (updated < wanted) return inProgress(`${updated} of ${wanted} replicas updated`);
  if (replicas > wanted) return inProgress(`${replicas - wanted} old replicas still terminating`);
  if (available < updated) return inProgress(`${available} of ${updated} replicas available`);
  if (ready < wanted) return inProgress(`${ready} of ${wanted} replicas ready`);
  const rolledOut = progressing.some(
    ({ status: state, reason }) => state === 'True' && reason === 'NewReplicaSetAvailable',
  );
  if (hasDeadline(spec) && !rolledOut) return inProgress('new ReplicaSet not available yet');
  const isAvailable = conditions.some(
    ({ type, status: state }) => type === 'Available' && state === 'True',
  );
  if (!isAvailable) return inProgress('not available yet');
  return current(`${wanted} of ${wanted} replicas ready`);
}

function hasDeadline(spec: ReadObject['spec']): boolean {
  return (wholeIn(spec, 'progressDeadlineSeconds') ?? noDeadline) !== noDeadline;
}
