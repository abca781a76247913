import type { KeptResults } from './kept-results.ts';
import { onAbort, untilAborted } from './wait.ts';

/**
 * Makes what is not kept yet. Those who ask for the same key at the same time share one piece of work,
 * which goes on until the last of them gives up.
 */
export class SharedCache<Result> {
  readonly #kept: KeptResults<Result>;
  readonly #pending = new Map<string, Pending<Result>>();

  constructor(kept: KeptResults<Result>) {
    this.#kept = kept;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#kept.bytes;
  }

  has(key: string): boolean {
    return this.#kept.has(key);
  }

  /** The same results for others, whose work nobody here waits for, nor they for work from here. */
  beside(): SharedCache<Result> {
    return new SharedCache(this.#kept);
  }

  /**
   * @param make gets a signal that fires when nobody waits any more
   * @throws what `make` throws; a failure is not remembered. The signal's reason when aborted.
   */
  async get(
    key: string,
    make: (signal: AbortSignal) => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result> {
    const found = this.#kept.find(key);
    if (found !== undefined) return found.result;
    signal.throwIfAborted();
    const pending = this.#pending.get(key) ?? this.#start(key, make);
    pending.waiting += 1;
    const stopListening = onAbort(signal, () => this.#giveUp(key, pending));
    try {
      return await untilAborted(pending.work, signal);
    } finally {
      stopListening();
    }
  }

  #start(key: string, make: (signal: AbortSignal) => Promise<Result>): Pending<Result> {
    const controller = new AbortController();
    const work = make(controller.signal)
      .then((result) => {
        this.#kept.keep(key, result);
        return result;
      })
      .finally(() => {
        if (this.#pending.get(key) === pending) this.#pending.delete(key);
      });
    const pending: Pending<Result> = { work, controller, waiting: 0 };
    this.#pending.set(key, pending);
    return pending;
  }

  #giveUp(key: string, pending: Pending<Result>): void {
    pending.waiting -= 1;
    if (pending.waiting > 0) return;
    if (this.#pending.get(key) === pending) this.#pending.delete(key);
    pending.controller.abort(new Error('Nobody waits for this any more'));
  }
}

interface Pending<Result> {
  readonly work: Promise<Result>;
  readonly controller: AbortController;
  waiting: number;
}
