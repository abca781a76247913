import { clusterFailed, isClusterFault } from '../core/clusters/cluster-error.ts';
import { RetryableError, TerminalError } from '../core/errors.ts';
import { type Duration, seconds } from '../core/time.ts';
import type { Circuit } from './api-connection.ts';
import { ApiError, noAnswer } from './api-error.ts';
import { type BackoffPolicy, backoffDelay, type Random } from './backoff.ts';

/** How long a cluster that gave no answer is left alone: at most half a minute. */
const rest: BackoffPolicy = { base: seconds(1), cap: seconds(30), jitter: 0.2 };

export interface ClusterCircuitOptions {
  /** How errors name the cluster. */
  readonly cluster: string;
  readonly random?: Random;
  /** Monotonic, milliseconds. */
  readonly now?: () => number;
}

/**
 * Opens after a request without an answer, so that the many others that would wait for the same dead
 * cluster fail at once, and lets requests through again after a while that grows. Its errors name the
 * cluster, and say nothing about the local API server.
 */
export class ClusterCircuit implements Circuit {
  readonly #cluster: string;
  readonly #random: Random;
  readonly #now: () => number;
  #failures = 0;
  #openUntil = 0;
  #last: unknown;

  constructor({
    cluster,
    random = Math.random,
    now = () => performance.now(),
  }: ClusterCircuitOptions) {
    this.#cluster = cluster;
    this.#random = random;
    this.#now = now;
  }

  admit(): void {
    const left = this.#openUntil - this.#now();
    if (left <= 0) return;
    throw this.#named(`${saidBy(this.#last)}; it is asked again in a moment`, this.#last, left);
  }

  answered(): void {
    this.#failures = 0;
    this.#openUntil = 0;
  }

  failed(error: unknown): unknown {
    if (isClusterFault(error)) return error;
    if (error instanceof TerminalError) return this.#refused(error);
    if (noAnswer(error) !== undefined || isGatewayError(error)) {
      this.#open(error);
      return this.#named(saidBy(error), error);
    }
    // An answer that cannot be used, such as one that is too long or no JSON.
    if (error instanceof RetryableError) return this.#named(saidBy(error), error);
    this.answered();
    if (error instanceof ApiError && error.code === 403) return this.#denied(error);
    // Turned away, or not let in: nothing of that is a fault of the local API server.
    if (error instanceof ApiError && (error.code === 429 || error.code === 401)) {
      return this.#named(saidBy(error), error, error.retryAfter);
    }
    return error;
  }

  /** Requests that were sent before it opened say nothing new. */
  #open(error: unknown): void {
    if (this.#openUntil > this.#now()) return;
    this.#failures += 1;
    this.#last = error;
    this.#openUntil = this.#now() + backoffDelay(rest, this.#failures, this.#random);
  }

  #refused(error: TerminalError): TerminalError {
    return new TerminalError(`cluster of ${this.#cluster}: ${error.message}`, {
      cause: error,
      ...(error.reason === undefined ? {} : { reason: error.reason }),
    });
  }

  /** A denial must say which of two clusters has denied it. */
  #denied(error: ApiError): ApiError {
    const { code, reason, details, causes, retryAfter, request, message } = error;
    const fields = { code, reason, details, causes, retryAfter };
    return new ApiError({
      ...fields,
      ...(request === undefined ? {} : { request }),
      message: `cluster of ${this.#cluster}: ${message}`,
    });
  }

  #named(said: string, cause: unknown, retryAfter?: Duration | number): Error {
    return clusterFailed(`cluster of ${this.#cluster}: ${said}`, {
      cause,
      ...(retryAfter === undefined ? {} : { retryAfter }),
    });
  }
}

function isGatewayError(error: unknown): boolean {
  return error instanceof ApiError && [502, 503, 504].includes(error.code);
}

function saidBy(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
