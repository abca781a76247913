import type { ObjectReference } from '../../types/kubernetes.ts';
import { describeObject } from '../objects/identity.ts';
import type { ObjectHealth } from './object-health.ts';
import { oneLine } from './one-line.ts';

/** The health of an object with the object's name. */
export interface ReportedHealth extends ObjectHealth {
  readonly object: ObjectReference;
}

const named = 5;

/**
 * One line for people: `2 of 12 not ready: Deployment/default/web: 1 of 3 replicas updated; ...`.
 * Failed objects come first, at most five objects are named, the others counted.
 */
export function describeHealth(reports: readonly ReportedHealth[]): string {
  const unready = reports.filter(({ status }) => status !== 'Current');
  if (unready.length === 0) return `all ${reports.length} ready`;
  const failed = unready.filter(({ status }) => status === 'Failed');
  const others = unready.filter(({ status }) => status !== 'Failed');
  const lines = [...failed, ...others]
    .slice(0, named)
    .map(({ object, message }) => `${describeObject(object)}: ${oneLine(message)}`);
  const rest = unready.length - lines.length;
  const more = rest > 0 ? `; and ${rest} more` : '';
  return `${unready.length} of ${reports.length} not ready: ${lines.join('; ')}${more}`;
}
