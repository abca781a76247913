import {
  after,
  type Clock,
  type Duration,
  type Instant,
  instant,
  seconds,
} from '../../core/time.ts';
import { untilAborted } from '../../kubernetes/wait.ts';

export interface VerdictCacheOptions {
  /** Never goes back, else an answer would outlive its time. Default: the process's own. */
  readonly monotonic?: Clock;
  /** Default 10 s, as upstream. */
  readonly maxAge?: Duration;
  /** Answers that are kept; the oldest goes first. Default 4096. */
  readonly mostEntries?: number;
  /** Bound of one question, however many wait for it. Default 10 s. */
  readonly timeout?: Duration;
}

/**
 * Remembers answers for a short while. Of the same question only one is under way, whoever waits for
 * it; it does not end when one of those who wait gives up. Failures are not remembered.
 */
export class VerdictCache<T> {
  readonly #clock: Clock;
  readonly #maxAge: Duration;
  readonly #mostEntries: number;
  readonly #timeout: Duration;
  /** In order of age, since all live equally long. */
  readonly #known = new Map<string, { verdict: T; until: Instant }>();
  /** As many as there are requests under way, at most. */
  readonly #asking = new Map<string, Promise<T>>();

  constructor(options: VerdictCacheOptions = {}) {
    this.#clock = options.monotonic ?? (() => instant(performance.now()));
    this.#maxAge = options.maxAge ?? seconds(10);
    this.#mostEntries = options.mostEntries ?? 4096;
    this.#timeout = options.timeout ?? seconds(10);
  }

  /**
   * @param key everything that the answer depends on
   * @throws whatever `ask` throws; the signal's reason
   */
  async verdict(
    key: string,
    ask: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const known = this.#known.get(key);
    if (known !== undefined && this.#clock() < known.until) return known.verdict;
    let asking = this.#asking.get(key);
    if (asking === undefined) {
      asking = this.#ask(key, ask);
      this.#asking.set(key, asking);
      // Whoever asked may have gone; without this a failure would then end the process.
      asking.catch(() => undefined);
    }
    return await untilAborted(asking, signal);
  }

  async #ask(key: string, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      const verdict = await Promise.resolve(AbortSignal.timeout(this.#timeout)).then(ask);
      this.#keep(key, verdict);
      return verdict;
    } finally {
      this.#asking.delete(key);
    }
  }

  #keep(key: string, verdict: T): void {
    this.#known.delete(key);
    this.#known.set(key, { verdict, until: after(this.#clock(), this.#maxAge) });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= this.#mostEntries) break;
      this.#known.delete(oldest);
    }
  }
}
