import { RetryableError } from '../core/errors.ts';
import { type Duration, seconds } from '../core/time.ts';
import { ApiError, isTurnedAway, noAnswer, SERVER_NOT_READY } from './api-error.ts';

/** How long a server is doubted after the last sign of trouble, where it never says that it is ready. */
const longestDoubt = seconds(60);

/**
 * Tells what an API server knows from what it says while it starts. For seconds after a restart it
 * denies what is allowed, since it has not read its roles yet, and knows no kinds of
 * CustomResourceDefinitions; and without its etcd it fails in words that sound like anything. So after
 * a sign of trouble such answers count only once `/readyz` says so.
 */
export class ServerDoubt {
  readonly #now: () => number;
  #until = Number.NEGATIVE_INFINITY;
  #asking: Promise<boolean> | undefined;

  /** @param now monotonic, milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A request, or a watch, has come to this end. */
  noticed(error: unknown): void {
    if (isTrouble(error)) this.#until = this.#now() + longestDoubt;
  }

  /**
   * The error to throw in place of one that a request has ended with.
   * @param isReady asks the server; shared by all who doubt it at the same time
   */
  async judged(error: unknown, isReady: () => Promise<boolean>): Promise<unknown> {
    this.noticed(error);
    if (!isDoubtful(error) || this.#now() >= this.#until) return error;
    this.#asking ??= isReady().finally(() => {
      this.#asking = undefined;
    });
    if (await this.#asking) {
      this.#until = Number.NEGATIVE_INFINITY;
      return error;
    }
    return new RetryableError(`the API server is not ready, and says: ${error.message}`, {
      reason: SERVER_NOT_READY,
      cause: error,
    });
  }

  /** Bounds one question whether the server is ready. */
  static readonly patience: Duration = seconds(2);
}

/** Nobody answered, or somebody who has no server or no storage behind. */
function isTrouble(error: unknown): boolean {
  if (error instanceof ApiError) return isTurnedAway(error) && error.code !== 429;
  return noAnswer(error) !== undefined;
}

/** What a server that starts may say of anything. */
function isDoubtful(error: unknown): error is ApiError {
  if (!(error instanceof ApiError) || isTrouble(error)) return false;
  // That an object is not there is known from etcd.
  if (error.code === 404) return error.details.name === undefined;
  return [401, 403].includes(error.code) || error.code >= 500;
}
