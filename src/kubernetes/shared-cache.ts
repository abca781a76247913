import { onAbort, untilAborted } from './wait.ts';

/**
 * Results by key, the least recently used leaving first when there are more bytes than the bound; one
 * that is larger than the bound is not kept. Those who ask for the same key at the same time share one
 * piece of work, which goes on until the last of them gives up.
 */
export class SharedCache<Result> {
  readonly #sizeOf: (result: Result) => number;
  readonly #maxBytes: number;
  readonly #entries = new Map<string, { readonly result: Result; readonly bytes: number }>();
  readonly #pending = new Map<string, Pending<Result>>();
  #bytes = 0;

  constructor(maxBytes: number, sizeOf: (result: Result) => number) {
    this.#maxBytes = maxBytes;
    this.#sizeOf = sizeOf;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
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
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, entry);
      return entry.result;
    }
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
        this.#keep(key, result);
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

  #keep(key: string, result: Result): void {
    const bytes = this.#sizeOf(result);
    if (bytes > this.#maxBytes || this.#entries.has(key)) return;
    this.#entries.set(key, { result, bytes });
    this.#bytes += bytes;
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#entries.delete(oldest);
      this.#bytes -= entry.bytes;
    }
  }
}

interface Pending<Result> {
  readonly work: Promise<Result>;
  readonly controller: AbortController;
  waiting: number;
}
