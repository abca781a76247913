import { RetryableError } from '../core/errors.ts';
import type { RequestLimit } from '../kubernetes/in-flight-limit.ts';

/** A build's turn, which it gives to others while it waits for a server. */
export class Turn {
  readonly #turns: RequestLimit;
  readonly #waits: RequestLimit;
  #held = false;

  /** @param waits how many may wait without a turn */
  constructor(turns: RequestLimit, waits: RequestLimit) {
    this.#turns = turns;
    this.#waits = waits;
  }

  async take(signal: AbortSignal): Promise<void> {
    await this.#turns.enter(signal);
    this.#held = true;
  }

  /** Gives the turn back, if it is there. */
  end(): void {
    if (this.#held) this.#turns.leave();
    this.#held = false;
  }

  /**
   * Does without the turn while something is under way, and takes one again.
   *
   * @throws RetryableError when too many wait already: they keep what they have in memory.
   */
  async without<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    if (!this.#waits.tryEnter()) {
      throw new RetryableError('too many builds wait for key services', { reason: 'StageFailed' });
    }
    this.end();
    const result = await work().finally(() => this.#waits.leave());
    await this.take(signal);
    return result;
  }
}
