import { between, type Clock, type Duration, type Instant } from '../core/time.ts';

export interface LineBudgetOptions {
  /** Lines in one `period`. */
  readonly most: number;
  readonly period: Duration;
  readonly clock: Clock;
}

/** How many lines are written about what strangers can cause as often as they like. */
export class LineBudget {
  readonly #options: LineBudgetOptions;
  #began: Instant | undefined;
  #written = 0;
  #leftOut = 0;

  constructor(options: LineBudgetOptions) {
    this.#options = options;
  }

  /** How many lines were left out since the last that was written; undefined: leave this one out. */
  take(): number | undefined {
    const { most, period, clock } = this.#options;
    const now = clock();
    if (this.#began === undefined || between(this.#began, now) >= period) {
      this.#began = now;
      this.#written = 0;
    }
    if (this.#written >= most) {
      this.#leftOut += 1;
      return undefined;
    }
    this.#written += 1;
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    return leftOut;
  }
}
