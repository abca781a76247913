import type { ObjectReference } from '../types/kubernetes.ts';

/**
 * One class per treatment, not per place: a caller asks "what do I do about it", never "where did
 * it come from". Library errors are wrapped where they enter.
 */
abstract class TreatedError extends Error {
  /** Ready reason of the specification that this failure surfaces as, where it names its own. */
  readonly reason: string | undefined;
  /** The object that the failure is about. */
  readonly object: ObjectReference | undefined;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.reason = details.reason;
    this.object = details.object;
  }
}

export interface ErrorDetails {
  reason?: string;
  object?: ObjectReference;
  cause?: unknown;
}

/** Trying again cannot help: the spec, the artifact or the cluster must change first. */
export class TerminalError extends TreatedError {}

/** Trying again may help. `retryAfter` is a hint in milliseconds, when the other side gave one. */
export class RetryableError extends TreatedError {
  readonly retryAfter: number | undefined;

  constructor(message: string, details: ErrorDetails & { retryAfter?: number } = {}) {
    super(message, details);
    this.retryAfter = details.retryAfter;
  }
}

/** The API server refused: it says which identity lacks which verb on which resource. */
export class DeniedError extends TreatedError {}
