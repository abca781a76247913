import { seconds } from '../core/time.ts';
import { ApiError } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { pause } from '../kubernetes/wait.ts';
import { isInterruption } from './failure.ts';

export interface OutageOptions {
  /** Whether the API server answers right now; a rejection counts as no. */
  readonly answers: (signal: AbortSignal) => Promise<boolean>;
  /** Told once when an outage is over, with the keys that it interrupted. */
  readonly onOver: (keys: readonly string[]) => void;
  /** Milliseconds between two questions. */
  readonly every?: number;
}

/**
 * Notices when the API server answers again after it was away, so that what was interrupted goes on
 * at once and does not sit out a backoff that grew meanwhile. While there is no outage it asks
 * nothing: a single request that fails is left to its own backoff.
 */
export class Outage {
  readonly #options: OutageOptions;
  /** At most one entry for each StageSet. */
  readonly #interrupted = new Set<string>();
  readonly #stop = new AbortController();
  #watching: Promise<void> | undefined;

  constructor(options: OutageOptions) {
    this.#options = options;
  }

  /** A pass over this key got no answer. */
  interrupted(key: string): void {
    if (this.#stop.signal.aborted) return;
    this.#interrupted.add(key);
    this.#watching ??= this.#watch().finally(() => {
      this.#watching = undefined;
    });
  }

  /** A pass over this key ended well. */
  answered(key: string): void {
    this.#interrupted.delete(key);
  }

  stop(): void {
    this.#stop.abort(new Error('Nobody waits for the API server any more'));
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    let wasAway = false;
    while (!signal.aborted && this.#interrupted.size > 0) {
      const answers = await this.#options.answers(signal).catch(() => false);
      if (answers) break;
      wasAway = true;
      await pause(this.#options.every ?? seconds(1), signal).catch(() => undefined);
    }
    const keys = [...this.#interrupted];
    this.#interrupted.clear();
    if (wasAway && !signal.aborted && keys.length > 0) this.#options.onOver(keys);
  }
}

/**
 * Whether the API server is of use: `/readyz` tells of its etcd as well. A refusal is an answer, an
 * error of the server is none.
 */
export async function serverAnswers(
  client: KubernetesClient,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await client.raw({ method: 'GET', path: '/readyz' }, { signal, timeout: seconds(2) });
    return true;
  } catch (error) {
    const fault = error instanceof ApiError && error.code >= 500;
    return !isInterruption(error) && !fault;
  }
}
