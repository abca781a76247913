import { DeniedError, RetryableError, TerminalError } from '../core/errors.ts';
import type { Failure } from '../core/failure.ts';
import { ApiError, SERVER_NOT_READY, treatmentOf } from '../kubernetes/api-error.ts';
import type { Action } from '../types/stages.ts';
import { causedBy, failureOf } from './failure.ts';

/**
 * What an action failed of. Its stage is tried again after longer and longer pauses: what is refused
 * for good must not be called each minute.
 */
export function actionFailure(operation: string, error: unknown): Failure {
  const failure = failureOf(operation, error);
  return failure.reason === 'StageFailed' ? { ...failure, retry: 'Backoff' } : failure;
}

/** Whether trying again cannot help. */
export function isHopeless(error: unknown): boolean {
  const treated = treatmentOf(error);
  return treated instanceof TerminalError || treated instanceof DeniedError;
}

/** Whether an action that was begun has an end that the other side did not tell. */
export function isUnanswered(error: unknown): boolean {
  return causedBy(
    error,
    (cause) =>
      (cause instanceof RetryableError &&
        (cause.reason === 'Timeout' || cause.reason === 'ConnectionFailed')) ||
      (cause instanceof ApiError && (cause.isStorageFault || [502, 504].includes(cause.code))),
  );
}

/** Whether it is the server of an http action that did not answer, which costs an attempt. */
export function isOfCalledServer({ http }: Action, error: unknown): boolean {
  if (http === undefined || !(error instanceof RetryableError)) return false;
  return error.object === undefined && error.reason !== SERVER_NOT_READY;
}
