import type { RequestLimit } from './in-flight-limit.ts';
import { abortReason, onAbort } from './wait.ts';

export interface FairLimitOptions {
  /** Pieces of work at the same time. */
  readonly most: number;
  /** Of these, those of one user. */
  readonly mostOfOneUser: number;
}

interface Waiter {
  readonly user: string;
  readonly admit: () => void;
}

/**
 * A limit that one user alone cannot use up. Of those who wait, the first of the users who have the
 * least under way is next.
 */
export class FairLimit {
  readonly #options: FairLimitOptions;
  /** What is under way, by user: as many users as there are places, at most. */
  readonly #taken = new Map<string, number>();
  readonly #waiting = new Set<Waiter>();
  #free: number;

  constructor(options: FairLimitOptions) {
    this.#options = options;
    this.#free = options.most;
  }

  /** Those who wait now. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** The limit as one user has it. */
  of(user: string): RequestLimit {
    return {
      tryEnter: () => this.#tryEnter(user),
      enter: async (signal) => {
        if (!this.#tryEnter(user)) await this.#wait(user, signal);
      },
      leave: () => this.#leave(user),
    };
  }

  #tryEnter(user: string): boolean {
    if (!this.#mayTake(user)) return false;
    this.#take(user);
    return true;
  }

  /** Resolves with the place taken. */
  #wait(user: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(abortReason(signal));
        return;
      }
      const waiter: Waiter = {
        user,
        admit: () => {
          this.#waiting.delete(waiter);
          stopListening();
          this.#take(user);
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

  #leave(user: string): void {
    const left = this.#takenBy(user) - 1;
    if (left > 0) this.#taken.set(user, left);
    else this.#taken.delete(user);
    this.#free += 1;
    this.#next()?.admit();
  }

  #next(): Waiter | undefined {
    let next: Waiter | undefined;
    for (const waiter of this.#waiting) {
      if (!this.#mayTake(waiter.user)) continue;
      if (next === undefined || this.#takenBy(waiter.user) < this.#takenBy(next.user)) {
        next = waiter;
      }
    }
    return next;
  }

  #mayTake(user: string): boolean {
    return this.#free > 0 && this.#takenBy(user) < this.#options.mostOfOneUser;
  }

  #take(user: string): void {
    this.#free -= 1;
    this.#taken.set(user, this.#takenBy(user) + 1);
  }

  #takenBy(user: string): number {
    return this.#taken.get(user) ?? 0;
  }
}
