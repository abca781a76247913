import { abortReason, onAbort } from './wait.ts';

/** What bounds the requests of a client. */
export interface RequestLimit {
  /** Takes a slot if one is free right now: the path without a promise. */
  tryEnter(): boolean;
  /** Waits for a slot; rejects with the abort reason, and then holds none. */
  enter(signal: AbortSignal): Promise<void>;
  /** Gives the slot to the next who waits, or frees it. */
  leave(): void;
}

interface Waiter {
  admit: () => void;
}

/**
 * How many requests one API server gets from us at the same time, first come first served. All
 * clients of that server share one limit, tenants included, but for those that were given another:
 * see `KubernetesClient.withLimit`. Watches do not count, since a watch occupies the server
 * differently and would starve the rest.
 */
export class InFlightLimit implements RequestLimit {
  readonly #limit: number;
  #active = 0;
  readonly #waiting = new Set<Waiter>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get active(): number {
    return this.#active;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  tryEnter(): boolean {
    if (this.#active >= this.#limit) return false;
    this.#active += 1;
    return true;
  }

  enter(signal: AbortSignal): Promise<void> {
    if (this.tryEnter()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(abortReason(signal));
        return;
      }
      const waiter: Waiter = {
        admit: () => {
          stopListening();
          resolve();
        },
      };
      const stopListening = onAbort(signal, () => {
        this.#waiting.delete(waiter);
        reject(abortReason(signal));
      });
      this.#waiting.add(waiter);
    });
  }

  /** Gives the slot to the one who has waited longest, or frees it. */
  leave(): void {
    for (const waiter of this.#waiting) {
      this.#waiting.delete(waiter);
      waiter.admit();
      return;
    }
    this.#active -= 1;
  }
}
