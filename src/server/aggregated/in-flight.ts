import { StatusError } from './status-error.ts';

export interface InFlightLimits {
  /** Requests of one kind under way at once. */
  readonly most: number;
  /** Of these, those of one user. */
  readonly mostOfOneUser: number;
}

/**
 * Bounds the requests under way. One user gets a share only, so that a loop in one place leaves room
 * for everybody else. What does not fit is refused and not queued: clients come back by themselves.
 */
export class InFlight {
  readonly #limits: InFlightLimits;
  /** As many as there are requests under way, at most. */
  readonly #byUser = new Map<string, number>();
  #all = 0;

  constructor(limits: InFlightLimits) {
    this.#limits = limits;
  }

  /**
   * Counts one request of this user.
   * @returns what counts it off again; calling that twice changes nothing
   * @throws StatusError 429
   */
  enter(user: string): () => void {
    const own = this.#byUser.get(user) ?? 0;
    if (own >= this.#limits.mostOfOneUser) {
      throw StatusError.tooManyRequests('you have too many requests under way; try again later', 1);
    }
    if (this.#all >= this.#limits.most) {
      throw StatusError.tooManyRequests(
        'the server has too many requests under way; try again later',
        1,
      );
    }
    this.#all += 1;
    this.#byUser.set(user, own + 1);
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      this.#all -= 1;
      const left = (this.#byUser.get(user) ?? 1) - 1;
      if (left === 0) this.#byUser.delete(user);
      else this.#byUser.set(user, left);
    };
  }
}
