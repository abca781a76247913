import { DeniedError, RetryableError, TerminalError } from '../core/errors.ts';
import { describeObject } from '../core/objects/identity.ts';
import { treatmentOf } from '../kubernetes/api-error.ts';
import type { ObjectReference } from '../types/kubernetes.ts';

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
 * decides the treatment, since nothing of the rest can succeed before it is repaired.
 */
export function combinedFailure(failures: readonly unknown[]): Error {
  const errors = failures.map((failure) =>
    failure instanceof Error ? failure : new RetryableError(String(failure)),
  );
  const [first] = errors;
  if (first !== undefined && errors.length === 1) return first;
  const lines = errors.slice(0, shown).map(({ message }) => message);
  const rest = errors.length - lines.length;
  const message = `${errors.length} objects failed: ${lines.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`;
  const denied = errors.find((error) => error instanceof DeniedError);
  if (denied !== undefined)
    return new DeniedError(message, { reason: 'RBACDenied', cause: denied });
  if (first instanceof TerminalError && errors.every((error) => error instanceof TerminalError)) {
    const reason = first.reason === undefined ? {} : { reason: first.reason };
    return new TerminalError(message, { ...reason, cause: first });
  }
  return new RetryableError(message, { cause: first });
}
