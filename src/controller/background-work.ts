import { abortReason, onAbort } from '../kubernetes/wait.ts';

/**
 * One piece of work that goes on while nobody waits for it. Whoever started it may wait a moment for
 * a quick end, and is told of a later one.
 */
export class BackgroundWork<Result> {
  readonly #abort = new AbortController();
  readonly #outcome: Promise<PromiseSettledResult<Result>>;
  #listener: (() => void) | undefined;
  #settled: PromiseSettledResult<Result> | undefined;

  /** Starts the work; it ends early when `signal` fires, and then fails with its reason. */
  constructor(work: (signal: AbortSignal) => Promise<Result>, signal: AbortSignal) {
    const stopListening = onAbort(signal, () => this.#abort.abort(abortReason(signal)));
    this.#outcome = settle(work(this.#abort.signal)).then((settled) => {
      stopListening();
      this.#settled = settled;
      if (!this.#abort.signal.aborted) this.#listener?.();
      return settled;
    });
  }

  get ended(): boolean {
    return this.#settled !== undefined;
  }

  /** What came of the work; undefined while it goes on. Throws what it ended with. */
  result(): Result | undefined {
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

  /** Calls `listener` when work that still goes on has ended, unless it was abandoned. */
  onEnd(listener: () => void): void {
    this.#listener = listener;
  }

  /** Ends the work; nobody is told. */
  abandon(): void {
    this.#abort.abort(new Error('nobody needs this work any more'));
  }
}

async function settle<Result>(work: Promise<Result>): Promise<PromiseSettledResult<Result>> {
  const [settled] = await Promise.allSettled([work]);
  return settled;
}
