import { DeniedError, RetryableError, TerminalError } from '../core/errors.ts';
import { describeObject } from '../core/objects/identity.ts';
import type { ObjectReference } from '../types/kubernetes.ts';
import { treatmentOf } from './api-error.ts';

/** What went wrong with an object that an action names, with its name in front. */
export function objectError(verb: string, object: ObjectReference, error: unknown): unknown {
  const treated = treatmentOf(error, object);
  if (!(treated instanceof Error)) return treated;
  const message = `${verb} ${describeObject(object)}: ${treated.message}`;
  const { cause } = treated;
  const details = { object, cause: cause ?? treated };
  if (treated instanceof DeniedError) {
    return new DeniedError(message, { ...details, reason: 'RBACDenied' });
  }
  if (treated instanceof TerminalError) {
    const { reason } = treated;
    return new TerminalError(message, { ...details, ...(reason === undefined ? {} : { reason }) });
  }
  if (treated instanceof RetryableError) {
    const { reason, retryAfter } = treated;
    return new RetryableError(message, {
      ...details,
      ...(reason === undefined ? {} : { reason }),
      ...(retryAfter === undefined ? {} : { retryAfter }),
    });
  }
  // The reason of an abort goes through as it is.
  return treated;
}
