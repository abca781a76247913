import { type Duration, milliseconds } from '../core/time.ts';
import { type BackoffPolicy, backoffDelay, type Random, WORK_BACKOFF } from './backoff.ts';
import { DelayHeap } from './delay-heap.ts';
import { FairLine } from './fair-line.ts';

/** What a metrics exporter wants to know about a queue (part B 9.1). All optional. */
export interface WorkQueueObserver {
  /** Keys that wait for a worker now. */
  depth?: (depth: number) => void;
  /** A key was put in line; one that was in line already does not count. */
  added?: (key: string) => void;
  /** A worker took the key, this long after it was put in line. */
  started?: (key: string, waited: Duration) => void;
  /** The worker is done with it. */
  finished?: (key: string, worked: Duration) => void;
  /** The key was put back with backoff. */
  retried?: (key: string, failures: number) => void;
}

export interface WorkQueueOptions {
  backoff?: BackoffPolicy;
  random?: Random;
  observer?: WorkQueueObserver;
  /** Whose a key is: groups take turns. Default: all keys are of one group, first come first served. */
  groupOf?: (key: string) => string;
  /** Keys of one group that may be with workers at a time, once there are several groups. */
  mostPerGroup?: number;
  /** Monotonic milliseconds. */
  now?: () => number;
}

/** Milliseconds after which keys that were passed over are offered again to workers without one. */
const offerEvery = 25;

/**
 * A queue of keys with the rules of client-go's workqueue: a key is in line at most once; it is
 * handed to one worker at a time; a key that is added while a worker has it comes back into line when
 * that worker is done. So a burst of events about one object is one piece of work. Groups of keys take
 * turns.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #now: () => number;
  readonly #line: FairLine;
  /** With a worker, with the time at which it was taken. */
  readonly #working = new Map<string, number>();
  /** With a worker, and added again since. */
  readonly #again = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #delayed = new DelayHeap();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #idle: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #timerDue = 0;
  #offerAgain: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: WorkQueueOptions = {}) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    const { groupOf = () => '', mostPerGroup = Number.POSITIVE_INFINITY } = options;
    this.#line = new FairLine({ groupOf, mostPerGroup });
  }

  /** Keys that wait for a worker; delayed ones do not count. */
  get depth(): number {
    return this.#line.size;
  }

  /** Keys that workers have. */
  get working(): number {
    return this.#working.size;
  }

  /** How long the worker that has been busy longest has had its key; 0 when none is busy. */
  longestRunning(): Duration {
    let oldest = Number.POSITIVE_INFINITY;
    for (const since of this.#working.values()) oldest = Math.min(oldest, since);
    return milliseconds(oldest === Number.POSITIVE_INFINITY ? 0 : this.#now() - oldest);
  }

  /** The sum of how long all busy workers have had their keys. */
  unfinishedWork(): Duration {
    const now = this.#now();
    let sum = 0;
    for (const since of this.#working.values()) sum += now - since;
    return milliseconds(sum);
  }

  /** Puts the key in line, unless it is there already. Nothing is taken after `close`. */
  add(key: string): void {
    if (this.#closed) return;
    if (this.#working.has(key)) {
      if (this.#again.has(key)) return;
      this.#again.add(key);
      this.#options.observer?.added?.(key);
      return;
    }
    if (this.#line.has(key)) return;
    this.#options.observer?.added?.(key);
    this.#enqueue(key);
  }

  /** Adds the key when `delay` is over. Of several delays for one key the earliest counts. */
  addAfter(key: string, delay: Duration): void {
    if (this.#closed) return;
    if (delay <= 0) {
      this.add(key);
      return;
    }
    this.#delayed.push(key, this.#now() + delay);
    this.#schedule();
  }

  /** Adds the key after a backoff that grows with each call until `forget`. Returns the delay. */
  addRateLimited(key: string): Duration {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    if (this.#closed) return milliseconds(0);
    this.#failures.set(key, failures);
    const { backoff = WORK_BACKOFF, random = Math.random, observer } = this.#options;
    const delay = backoffDelay(backoff, failures, random);
    observer?.retried?.(key, failures);
    this.addAfter(key, delay);
    return delay;
  }

  /** The next `addRateLimited` of this key starts from the shortest backoff again. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** How often the key was added with backoff since it was last forgotten. */
  failuresOf(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** Drops the key's pending delay, as for an object that is gone. */
  cancelDelay(key: string): void {
    this.#delayed.remove(key);
  }

  /** When a pending delay of this key is over, on the queue's clock; undefined when there is none. */
  delayedUntil(key: string): number | undefined {
    return this.#delayed.dueOf(key);
  }

  /** The next key, waiting for one. Undefined after `close`. Each key must be given to `done`. */
  take(): Promise<string | undefined> {
    const next = this.#line.take(this.#now());
    if (next !== undefined) {
      this.#begin(next.key, next.since);
      return Promise.resolve(next.key);
    }
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#offerLater();
    });
  }

  /** The worker is done with the key; if it was added meanwhile it is in line again now. */
  done(key: string): void {
    const since = this.#working.get(key);
    if (since === undefined) return;
    this.#working.delete(key);
    const now = this.#now();
    this.#line.free(key, now - since, now);
    this.#options.observer?.finished?.(key, milliseconds(now - since));
    if (this.#again.delete(key) && !this.#closed) this.#enqueue(key);
    this.#handOut();
    if (this.#working.size === 0) {
      for (const wake of this.#idle.splice(0)) wake();
    }
  }

  /**
   * Ends the queue: what is in line or delayed is dropped, since the state of the world is in the
   * cluster and the next start lists it. Resolves when no worker has a key any more.
   */
  async close(): Promise<void> {
    this.#closed = true;
    this.#line.clear();
    this.#again.clear();
    this.#delayed.clear();
    clearTimeout(this.#timer);
    clearTimeout(this.#offerAgain);
    this.#options.observer?.depth?.(0);
    for (const taker of this.#takers.splice(0)) taker(undefined);
    if (this.#working.size === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #enqueue(key: string): void {
    this.#line.push(key, this.#now());
    this.#handOut();
    this.#options.observer?.depth?.(this.#line.size);
  }

  /** To those who wait, as long as somebody in line may be worked on. */
  #handOut(): void {
    while (this.#takers.length > 0) {
      const next = this.#line.take(this.#now());
      if (next === undefined) break;
      this.#begin(next.key, next.since);
      this.#takers.shift()?.(next.key);
    }
    this.#offerLater();
  }

  /** Whoever gives way to others may go on after a while, even if nothing else happens. */
  #offerLater(): void {
    if (this.#takers.length === 0 || this.#line.size === 0) return;
    this.#offerAgain ??= setTimeout(() => {
      this.#offerAgain = undefined;
      this.#handOut();
    }, offerEvery);
  }

  #begin(key: string, since: number): void {
    const now = this.#now();
    this.#working.set(key, now);
    this.#options.observer?.depth?.(this.#line.size);
    this.#options.observer?.started?.(key, milliseconds(now - since));
  }

  /** One timer for the earliest delay. */
  #schedule(): void {
    const next = this.#delayed.earliest();
    if (next === undefined) return;
    if (this.#timer !== undefined && this.#timerDue <= next) return;
    clearTimeout(this.#timer);
    this.#timerDue = next;
    // setTimeout takes 31 bits: a longer delay is looked at again on the way.
    const delay = Math.min(Math.max(0, next - this.#now()), 2 ** 31 - 1);
    this.#timer = setTimeout(() => this.#release(), delay);
  }

  #release(): void {
    this.#timer = undefined;
    // Timers may fire a fraction of a millisecond early.
    const now = this.#now() + 1;
    for (let key = this.#delayed.popDue(now); key !== undefined; key = this.#delayed.popDue(now)) {
      this.add(key);
    }
    this.#schedule();
  }
}
