import { ApiError, isGone, isTurnedAway, noAnswer } from '../../kubernetes/api-error.ts';
import { StatusError } from './status-error.ts';

/** What the API server answers. @throws as `served` says. */
export async function answered<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw served(error);
  }
}

/** What went wrong between us and the API server, as the caller may know it. */
export function served(error: unknown): unknown {
  if (isGone(error)) {
    return StatusError.expired(
      'The provided continue parameter is too old; start the list again without it.',
    );
  }
  if (noAnswer(error) === undefined && !causedByTurningAway(error)) return error;
  return StatusError.serviceUnavailable('the API server does not answer; try again', error);
}

function causedByTurningAway(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApiError) return isTurnedAway(cause);
  }
  return false;
}
