import { DeniedError, RetryableError, TerminalError } from '../core/errors.ts';
import type { Failure } from '../core/run.ts';
import { ApiError, treatmentOf } from '../kubernetes/api-error.ts';

/** The failure of an operation, by the class of what was thrown (part A 2.9). */
export function failureOf(operation: string, thrown: unknown): Failure {
  const error = treatmentOf(thrown);
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof DeniedError) {
    return { reason: 'RBACDenied', operation, message, retry: 'Minute' };
  }
  if (error instanceof TerminalError) {
    return { reason: error.reason ?? 'StageFailed', operation, message, retry: 'Minute' };
  }
  const hint = error instanceof RetryableError ? error.retryAfter : undefined;
  return {
    reason: 'StageFailed',
    operation,
    message,
    retry: 'Backoff',
    ...(hint === undefined ? {} : { retryAfter: hint }),
  };
}

/**
 * Whether the API server could not be reached or turned everybody away. That says nothing about the
 * StageSet: the pass is given up and taken up again where it was.
 */
export function isInterruption(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApiError) return [429, 502, 503, 504].includes(cause.code);
    if (cause instanceof RetryableError && cause.reason !== undefined) {
      return cause.reason === 'ConnectionFailed' || cause.reason === 'Timeout';
    }
  }
  return false;
}

/** Whether an error, or one of those that it wraps, is of a kind. */
export function causedBy(error: unknown, isKind: (error: unknown) => boolean): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isKind(cause)) return true;
  }
  return false;
}
