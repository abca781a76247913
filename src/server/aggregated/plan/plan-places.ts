import { type Duration, seconds } from '../../../core/time.ts';
import { abortReason, onAbort } from '../../../kubernetes/wait.ts';
import type { InFlightLimits } from '../in-flight.ts';
import { StatusError } from '../status-error.ts';

export interface PlanPlacesOptions extends InFlightLimits {
  /** How long one waits for a place before being told to come again. */
  readonly longestWait: Duration;
}

const retryAfterSeconds = 2;

interface Waiter {
  readonly user: string;
  readonly admit: () => void;
}

/**
 * Places for plans under way. One user gets a part of them only; of those who wait, the first of the
 * users who have the fewest places is next. Whoever waits too long is refused. Those who wait are
 * bounded by the requests that the server takes at all.
 */
export class PlanPlaces {
  readonly #options: PlanPlacesOptions;
  /** Places taken, by user. */
  readonly #taken = new Map<string, number>();
  readonly #waiting = new Set<Waiter>();
  #free: number;

  constructor(options: PlanPlacesOptions) {
    this.#options = options;
    this.#free = options.most;
  }

  /** Those who wait for a place now. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Does the work in a place of this user.
   * @throws StatusError 429 where none became free in time; the signal's reason while it waits
   */
  async during<Result>(
    user: string,
    signal: AbortSignal,
    work: () => Promise<Result>,
  ): Promise<Result> {
    if (this.#mayTake(user)) this.#take(user);
    else await this.#wait(user, signal);
    try {
      return await work();
    } finally {
      this.#leave(user);
    }
  }

  /** Resolves with the place taken. */
  #wait(user: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(abortReason(signal));
        return;
      }
      const end = (): void => {
        this.#waiting.delete(waiter);
        clearTimeout(timer);
        stopListening();
      };
      const waiter: Waiter = {
        user,
        admit: () => {
          end();
          this.#take(user);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        end();
        reject(tooManyPlans());
      }, this.#options.longestWait);
      const stopListening = onAbort(signal, () => {
        end();
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
      if (next === undefined || this.#takenBy(waiter.user) < this.#takenBy(next.user))
        next = waiter;
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

/** The usual bounds: a plan that is made at all is made soon, and the rest is told to come again. */
export const usualPlaces: PlanPlacesOptions = {
  most: 8,
  mostOfOneUser: 6,
  longestWait: seconds(10),
};

function tooManyPlans(): StatusError {
  return StatusError.tooManyRequests(
    'too many plans are being made; try again later',
    retryAfterSeconds,
  );
}
