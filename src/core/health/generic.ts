import { type ReadObject, reported, wholeIn } from './fields.ts';
import { current, failed, inProgress, type ObjectHealth } from './object-health.ts';

/** Kinds whose existence is their health, once the generic rules have nothing against it. */
export function existingHealth(): ObjectHealth {
  return current('exists');
}

/**
 * What holds for objects of every kind, before the rules of the kind (part A 6.3): deletion, a spec
 * that its controller has not seen yet, and the standard conditions. Undefined when none applies.
 */
export function genericHealth({
  object,
  status,
  conditions,
}: ReadObject): ObjectHealth | undefined {
  const { deletionTimestamp, generation } = object.metadata;
  if (deletionTimestamp !== undefined && deletionTimestamp !== '') {
    return { status: 'Terminating', message: 'being deleted' };
  }
  const observed = wholeIn(status, 'observedGeneration');
  if (generation !== undefined && observed !== undefined && observed !== generation) {
    return inProgress(`generation ${generation} not observed yet, only ${observed}`);
  }
  for (const condition of conditions) {
    if (condition.status !== 'True') continue;
    if (condition.type === 'Reconciling') return inProgress(reported(condition));
    if (condition.type === 'Stalled') return failed(reported(condition));
  }
  return undefined;
}

/** Kinds without rules of their own, custom resources above all: what `Ready` says, if it is there. */
export function readyConditionHealth({ conditions }: ReadObject): ObjectHealth {
  for (const condition of conditions) {
    if (condition.type !== 'Ready') continue;
    if (condition.status === 'True') return current('ready');
    if (condition.status === 'False' || condition.status === 'Unknown') {
      return inProgress(reported(condition));
    }
  }
  return current('exists');
}
