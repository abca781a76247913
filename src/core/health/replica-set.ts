import { countIn, type ReadObject, reported } from './fields.ts';
import { current, inProgress, type ObjectHealth } from './object-health.ts';

export function replicaSetHealth({ spec, status, conditions }: ReadObject): ObjectHealth {
  const failure = conditions.find(
    ({ type, status: state }) => type === 'ReplicaFailure' && state === 'True',
  );
  // Often a quota that frees up again, so it is still converging.
  if (failure !== undefined) return inProgress(reported(failure));
  const wanted = countIn(spec, 'replicas', 1);
  const counts = [
    ['fullyLabeledReplicas', 'labelled'],
    ['availableReplicas', 'available'],
    ['readyReplicas', 'ready'],
  ] as const;
  for (const [field, what] of counts) {
    const count = countIn(status, field, 0);
    if (count < wanted) return inProgress(`${count} of ${wanted} replicas ${what}`);
  }
  const surplus = countIn(status, 'replicas', 0) - wanted;
  if (surplus > 0) return inProgress(`${surplus} old replicas still terminating`);
  return current(`${wanted} of ${wanted} replicas ready`);
}
