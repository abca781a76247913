import type { KubernetesObject } from '../../types/kubernetes.ts';
import { groupOf } from '../objects/identity.ts';
import { isJsonObject } from '../validate/json-object.ts';
import { countIn, type ReadObject, reported, textIn, wholeIn } from './fields.ts';
import { current, failed, inProgress, type ObjectHealth } from './object-health.ts';

/** Current once it is complete; a Job that has merely started is not done (part A 6.3, [gap]). */
export function jobHealth({ spec, status, conditions }: ReadObject): ObjectHealth {
  const wanted = countIn(spec, 'completions', countIn(spec, 'parallelism', 1));
  const progress = `${countIn(status, 'succeeded', 0)} of ${wanted} completions`;
  for (const condition of conditions) {
    if (condition.status !== 'True') continue;
    if (condition.type === 'Complete') return current(progress);
    if (condition.type === 'Failed') {
      return failed(`${progress}, ${countIn(status, 'failed', 0)} failed: ${reported(condition)}`);
    }
  }
  if (spec['suspend'] === true) return inProgress(`suspended at ${progress}`);
  if (textIn(status, 'startTime') === undefined) return inProgress('not started yet');
  return inProgress(`${progress}, ${countIn(status, 'active', 0)} active`);
}

/**
 * Health of an object that was applied and is not there. A Job with a time to live goes away by
 * itself when it is finished, so its absence is success; all others are not found.
 */
export function missingHealth(applied: KubernetesObject): ObjectHealth {
  if (removesItself(applied)) return current('finished and removed after its time to live');
  return { status: 'NotFound', message: 'not found' };
}

function removesItself({ apiVersion, kind, spec }: KubernetesObject): boolean {
  return (
    kind === 'Job' &&
    groupOf(apiVersion) === 'batch' &&
    isJsonObject(spec) &&
    wholeIn(spec, 'ttlSecondsAfterFinished') !== undefined
  );
}
