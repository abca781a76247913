import type { Slots } from '../kubernetes/fair-limit.ts';
import { abortReason, onAbort } from '../kubernetes/wait.ts';

/**
 * One piece of work that goes on while nobody waits for it. Whoever started it may wait a moment for
 * a quick end, and is told of a later one. It takes a permit before its result begins to take up
 * memory and keeps it until that is taken: what many have finished and nobody has taken would add up.
 */
export class BackgroundWork<Result> {
  readonly #abort = new AbortController();
  readonly #outcome: Promise<PromiseSettledResult<Result>>;
  readonly #permits: Slots;
  #permit: 'Waiting' | 'Held' | 'Returned' = 'Waiting';
  #listener: (() => void) | undefined;
  #settled: PromiseSettledResult<Result> | undefined;

  /**
   * Starts the work, which calls `permit` and waits for it at most once. It ends early when `signal`
   * fires, and then fails with its reason.
   */
  constructor(
    work: (signal: AbortSignal, permit: () => Promise<void>) => Promise<Result>,
    permits: Slots,
    signal: AbortSignal,
  ) {
    this.#permits = permits;
    const stopListening = onAbort(signal, () => this.#abort.abort(abortReason(signal)));
    this.#outcome = settle(work(this.#abort.signal, async () => await this.#enter())).then(
      (settled) => {
        stopListening();
        this.#settled = settled;
        // There is nothing to be taken of work that failed or that nobody needs.
        if (settled.status === 'rejected' || this.#abort.signal.aborted) this.#returnPermit();
        if (!this.#abort.signal.aborted) this.#listener?.();
        return settled;
      },
    );
  }

  get ended(): boolean {
    return this.#settled !== undefined;
  }

  /** Takes what came of the work; undefined while it goes on. Throws what it ended with. */
  take(): Result | undefined {
    if (this.#settled !== undefined) this.#returnPermit();
    if (this.#settled?.status === 'rejected') throw this.#settled.reason;
    return this.#settled?.value;
  }

  /** Waits until the work has ended, but at most `patience` milliseconds. */
  async wait(patience: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patience);
    });
    await Promise.race([this.#outcome, timeUp]);
    clearTimeout(timer);
  }

  /** Waits until the work has ended. */
  async settled(): Promise<void> {
    await this.#outcome;
  }

  /** Calls `listener` when work that still goes on has ended, unless it was abandoned. */
  onEnd(listener: () => void): void {
    this.#listener = listener;
  }

  /** Ends the work; nobody is told. */
  abandon(): void {
    this.#abort.abort(new Error('nobody needs this work any more'));
    if (this.#settled !== undefined) this.#returnPermit();
  }

  async #enter(): Promise<void> {
    await this.#permits.enter(this.#abort.signal);
    this.#permit = 'Held';
    this.#abort.signal.throwIfAborted();
  }

  #returnPermit(): void {
    if (this.#permit === 'Held') this.#permits.leave();
    this.#permit = 'Returned';
  }
}

async function settle<Result>(work: Promise<Result>): Promise<PromiseSettledResult<Result>> {
  const [settled] = await Promise.allSettled([work]);
  return settled;
}
