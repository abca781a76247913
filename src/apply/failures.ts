import { DeniedError, RetryableError, TerminalError } from '../core/errors.ts';
import { describeObject } from '../core/objects/identity.ts';
import { noAnswer, treatmentOf } from '../kubernetes/api-error.ts';
import type { ObjectReference } from '../types/kubernetes.ts';
import { NotBegun } from './in-flight.ts';

/** What went wrong with one object, with the object's name in front. */
export function objectFailure(object: ObjectReference, error: unknown): Error {
  const treated = treatmentOf(error, object);
  const message = `${describeObject(object)}: ${treated instanceof Error ? treated.message : String(treated)}`;
  const details = { object, cause: treated };
  if (treated instanceof DeniedError) {
    return new DeniedError(message, { ...details, reason: 'RBACDenied' });
  }
  if (treated instanceof TerminalError) {
    return new TerminalError(message, {
      ...details,
      ...(treated.reason === undefined ? {} : { reason: treated.reason }),
    });
  }
  const hint = treated instanceof RetryableError ? treated.retryAfter : undefined;
  return new RetryableError(
    message,
    hint === undefined ? details : { ...details, retryAfter: hint },
  );
}

const shown = 10;

/**
 * One error for the failures of many objects, at most ten of them spelled out. A denial among them
 * decides the treatment, since nothing of the rest can succeed before it is repaired. A server that
 * cannot be reached is the cause of all, and the longest time that it asks for counts.
 */
export function combinedFailure(failures: readonly unknown[]): Error {
  const begun = failures.filter((failure) => !(failure instanceof NotBegun));
  const errors = begun.map((failure) =>
    failure instanceof Error ? failure : new RetryableError(String(failure)),
  );
  const [first] = errors;
  const notBegun = failures.length - begun.length;
  if (first !== undefined && failures.length === 1) return first;
  const lines = errors.slice(0, shown).map(({ message }) => message);
  const rest = errors.length - lines.length;
  const counted = errors.length === 1 ? '1 object' : `${errors.length} objects`;
  const more = [
    ...(rest > 0 ? [`; and ${rest} more`] : []),
    ...(notBegun > 0 ? [`; ${notBegun} more were not tried`] : []),
  ].join('');
  const message = `${counted} failed: ${lines.join('; ')}${more}`;
  const denied = errors.find((error) => error instanceof DeniedError);
  if (denied !== undefined)
    return new DeniedError(message, { reason: 'RBACDenied', cause: denied });
  if (first instanceof TerminalError && errors.every((error) => error instanceof TerminalError)) {
    const reason = first.reason === undefined ? {} : { reason: first.reason };
    return new TerminalError(message, { ...reason, cause: first });
  }
  const hints = errors.flatMap((error) =>
    error instanceof RetryableError && error.retryAfter !== undefined ? [error.retryAfter] : [],
  );
  return new RetryableError(message, {
    cause: errors.find((error) => noAnswer(error) !== undefined) ?? first,
    ...(hints.length === 0 ? {} : { retryAfter: Math.max(...hints) }),
  });
}
