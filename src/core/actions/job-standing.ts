import type { KubernetesObject } from '../../types/kubernetes.ts';
import { isOwnedBy, nameLabel, namespaceLabel } from '../objects/ownership.ts';
import { isJsonObject } from '../validate/json-object.ts';
import { actionLabel, attemptAnnotation, isJob, renderedAnnotation } from './action-marks.ts';

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
 * attempt that failed must not be taken for this one's, nor one that ended in an earlier run.
 */
export function standingOf(live: KubernetesObject, wanted: KubernetesObject): Standing {
  if (!madeByTheSame(live, wanted)) return 'Foreign';
  if (live.metadata.deletionTimestamp !== undefined) return 'Leaving';
  const [made, now] = [attemptOf(live), attemptOf(wanted)];
  if (made.idempotencyKey !== now.idempotencyKey) {
    const same = annotation(live, renderedAnnotation) === annotation(wanted, renderedAnnotation);
    return same && !(isJob(live) && endOf(live) !== undefined) ? 'Ours' : 'Stale';
  }
  const over = isJob(live) && made.attempt !== now.attempt && endOf(live)?.kind === 'Failed';
  return over ? 'Stale' : 'Ours';
}

function madeByTheSame(live: KubernetesObject, wanted: KubernetesObject): boolean {
  const labels = wanted.metadata.labels ?? {};
  const owner = { name: labels[nameLabel] ?? '', namespace: labels[namespaceLabel] ?? '' };
  return isOwnedBy(live, owner) && live.metadata.labels?.[actionLabel] === labels[actionLabel];
}

function attemptOf(object: KubernetesObject): { idempotencyKey: string; attempt: string } {
  const [idempotencyKey = '', attempt = ''] = annotation(object, attemptAnnotation).split('.');
  return { idempotencyKey, attempt };
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
