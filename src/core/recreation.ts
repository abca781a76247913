import type { ObjectReference } from '../types/kubernetes.ts';
import { formatDuration } from './duration.ts';
import { describeObject, sameObject } from './objects/identity.ts';
import type { DeletedObject, Recreating, Recreation, StageStep } from './run.ts';
import { nextLook } from './schedule.ts';
import { between, type Duration, type Instant } from './time.ts';

/** The deletions of a group with those that it needs now; a second round has the first one's deadline. */
export function withDeletions(
  before: Recreation | undefined,
  deleted: readonly ObjectReference[],
  now: Instant,
  bound: Duration,
): Recreation {
  const { since, objects } = before ?? { since: now, objects: [] };
  const added = deleted.filter((object) => !objects.some((known) => sameObject(known, object)));
  return { since, bound, objects: [...objects, ...added] };
}

/** The wait after one more look at the objects. */
export function lookedAgain(
  step: Recreating,
  remaining: readonly DeletedObject[],
  now: Instant,
): Recreating {
  const looks = step.looks + 1;
  return { ...step, remaining, looks, nextLook: nextLook(now, looks) };
}

/** Whether the time for replacing objects of a group is over. */
export function tookTooLong({ since, bound }: Recreation, now: Instant): boolean {
  return between(since, now) >= bound;
}

/**
 * What becomes of the wait: the group is applied once all are gone, and the stage fails when its
 * timeout is over. A look that is overdue comes first.
 */
export function judgeRecreating(step: Recreating, now: Instant): StageStep {
  const { group, groups, established, recreation, remaining } = step;
  if (remaining.length === 0) {
    return { kind: 'Applying', group, groups, health: established, recreation };
  }
  if (step.nextLook <= now || !tookTooLong(recreation, now)) return { kind: 'Recreating', ...step };
  const message =
    `not gone within ${formatDuration(recreation.bound)} after deletion, so that ` +
    `${remaining.length === 1 ? 'it cannot be' : 'they cannot be'} created anew: ` +
    `${describeRemaining(step)}; see metadata.finalizers for what holds on`;
  return {
    kind: 'Failed',
    failure: { reason: 'StageFailed', operation: 'apply', message, retry: 'Backoff' },
  };
}

/** What is waited for, at most three objects by name. */
export function describeRemaining({ remaining }: Recreating): string {
  const names = remaining.slice(0, 3).map(({ object }) => describeObject(object));
  const rest = remaining.length - names.length;
  return rest > 0 ? `${names.join(', ')} and ${rest} more` : names.join(', ');
}
