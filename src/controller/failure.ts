import { isDecryptionError } from '../build/sops/decryption-error.ts';
import { isClusterFault } from '../core/clusters/cluster-error.ts';
import { DeniedError, RetryableError, TerminalError } from '../core/errors.ts';
import type { Failure } from '../core/failure.ts';
import { redact } from '../core/redact.ts';
import { minutes } from '../core/time.ts';
import { ApiError, isNoAnswer, isTurnedAway, treatmentOf } from '../kubernetes/api-error.ts';

/** The failure of an operation, by the class of what was thrown (part A 2.9). */
export function failureOf(otherwise: string, thrown: unknown): Failure {
  const named = thrown instanceof OperationError;
  const operation = named ? thrown.operation : otherwise;
  const error = treatmentOf(named ? thrown.cause : thrown);
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
    // Nobody tells us of a repaired cluster, or of an edited Secret.
    ...(causedBy(thrown, isClusterFault) ? { longestBackoff: longestUnseen } : {}),
  };
}

const longestUnseen = minutes(1);

/** The failure without the values of Secrets that its message may quote. */
export function redactedFailure(failure: Failure, secrets: ReadonlySet<string>): Failure {
  return secrets.size === 0 ? failure : { ...failure, message: redact(failure.message, secrets) };
}

/**
 * What the log is told of an error. Others may quote values of Secrets that went into the stage;
 * those of decryption never do, and say more to the log than to the status.
 */
export function sayable(
  error: unknown,
  { message }: Failure,
  secrets: ReadonlySet<string>,
): unknown {
  if (secrets.size === 0 || causedBy(error, isDecryptionError)) return error;
  return new TerminalError(message);
}

/**
 * Whether the API server could not be reached, turned everybody away, or was not ready. That says
 * nothing about the StageSet: the pass is given up and taken up again where it was.
 */
export function isInterruption(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApiError) return isTurnedAway(cause);
    if (cause instanceof RetryableError && cause.reason !== undefined) {
      return isNoAnswer(cause.reason);
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

/** An error together with the operation that it ended: an `op` value of part B 9.4. */
export class OperationError extends Error {
  readonly operation: string;

  constructor(operation: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'OperationError';
    this.operation = operation;
  }
}

/** The result of an operation; an error that ends it carries the operation's name. */
export async function during<Result>(operation: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof OperationError ? error : new OperationError(operation, error);
  }
}
