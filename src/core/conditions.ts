import type { Condition } from '../types/kubernetes.ts';
import { type Instant, toRfc3339 } from './time.ts';

/** Most characters of a condition's message that the API server takes (part A 1). */
export const longestMessage = 32_768;

/** What a condition shall say; undefined leaves `observedGeneration` out. */
export interface ConditionUpdate {
  readonly status: Condition['status'];
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number | undefined;
}

/**
 * The Ready condition as it is to be written. The time of the last transition moves only when the
 * status does: a new reason or message is no transition (metav1.Condition).
 */
export function readyCondition(
  previous: Pick<Condition, 'status' | 'lastTransitionTime'> | undefined,
  update: ConditionUpdate,
  at: Instant,
): Condition {
  return typedCondition('Ready', previous, update, at);
}

/** As `readyCondition`, for a condition of another type. */
export function typedCondition(
  type: string,
  previous: Pick<Condition, 'status' | 'lastTransitionTime'> | undefined,
  { status, reason, message, observedGeneration }: ConditionUpdate,
  at: Instant,
): Condition {
  const lastTransitionTime =
    previous?.status === status ? previous.lastTransitionTime : toRfc3339(at);
  return {
    type,
    status,
    reason,
    message: cutMessage(message, longestMessage),
    lastTransitionTime,
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
  };
}

/** A text of at most so many characters that tells when it was cut, never inside a character. */
export function cutMessage(message: string, longest: number): string {
  if (message.length <= longest) return message;
  const mark = '...';
  return `${message.slice(0, longest - mark.length).replace(/[\ud800-\udbff]$/, '')}${mark}`;
}
