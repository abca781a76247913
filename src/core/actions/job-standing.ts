import type { KubernetesObject } from '../../types/kubernetes.ts';
import { isOwnedBy, nameLabel, namespaceLabel } from '../objects/ownership.ts';
import { isJsonObject } from '../validate/json-object.ts';
import { actionLabel, isJob, ofOneEpoch, readAttempt, renderedAnnotation } from './action-marks.ts';

/** What an object that is there already under a wanted name is to an attempt. */
export type Standing =
  /** Made by this action: the attempt goes on with it. */
  | 'Ours'
  /** Made by this action, but for another attempt that is over, or of something else. */
  | 'Stale'
  /** As `Stale`, and about to be gone. */
  | 'Leaving'
  | 'Foreign';

/**
 * After a restart an attempt goes on with what it has made before, ended or not. A Job of an earlier
 * attempt that failed must not be taken for this one's. Of an earlier run, a Job is gone on with that
 * is still the same, as long as it runs; and when it is complete, only if the action was not to be
 * done once more since.
 */
export function standingOf(live: KubernetesObject, wanted: KubernetesObject): Standing {
  if (!madeByTheSame(live, wanted)) return 'Foreign';
  if (live.metadata.deletionTimestamp !== undefined) return 'Leaving';
  const [made, now] = [readAttempt(live), readAttempt(wanted)];
  const end = isJob(live) ? endOf(live) : undefined;
  if (made.idempotencyKey === now.idempotencyKey) {
    return made.attempt !== now.attempt && end?.kind === 'Failed' ? 'Stale' : 'Ours';
  }
  const same = annotation(live, renderedAnnotation) === annotation(wanted, renderedAnnotation);
  if (!same || end?.kind === 'Failed') return 'Stale';
  return end === undefined || ofOneEpoch(live, wanted) ? 'Ours' : 'Stale';
}

/** Whether a Job under another name, since of another revision, is what an attempt is to go on with. */
export function goesOn(leftover: KubernetesObject, wanted: KubernetesObject): boolean {
  if (leftover.metadata.deletionTimestamp !== undefined) return false;
  return endOf(leftover)?.kind !== 'Failed' && ofOneEpoch(leftover, wanted);
}

function madeByTheSame(live: KubernetesObject, wanted: KubernetesObject): boolean {
  const labels = wanted.metadata.labels ?? {};
  const owner = { name: labels[nameLabel] ?? '', namespace: labels[namespaceLabel] ?? '' };
  return isOwnedBy(live, owner) && live.metadata.labels?.[actionLabel] === labels[actionLabel];
}

function annotation({ metadata }: KubernetesObject, key: string): string {
  return metadata.annotations?.[key] ?? '';
}

/** How a Job has ended; undefined while it has not. */
export type JobEnd =
  | { readonly kind: 'Complete' }
  | { readonly kind: 'Failed'; readonly reason: string; readonly message: string };

export function endOf({ status }: KubernetesObject): JobEnd | undefined {
  const conditions = isJsonObject(status) ? status['conditions'] : undefined;
  if (!Array.isArray(conditions)) return undefined;
  for (const condition of conditions as unknown[]) {
    if (!isJsonObject(condition) || condition['status'] !== 'True') continue;
    if (condition['type'] === 'Complete') return { kind: 'Complete' };
    if (condition['type'] === 'Failed') {
      return {
        kind: 'Failed',
        reason: text(condition['reason']),
        message: text(condition['message']),
      };
    }
  }
  return undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
