import type { RequestLimit } from './in-flight-limit.ts';
import { abortReason, onAbort } from './wait.ts';

/** Slots of one party, for work that does not know whose it is. */
export type Slots = Pick<RequestLimit, 'enter' | 'leave'>;

interface Waiter {
  readonly admit: () => void;
}

/**
 * A number of slots that parties share, which are namespaces for the most part. Of those who wait, the
 * party with the fewest slots comes first, however many of another one are in line before it.
 *
 * `ForNewcomers` keeps slots free for parties that have none yet, for work that may hold one for long: a
 * party gets one more only while it has fewer than are free. So one alone has at most half of them,
 * two have a third each, and the one that comes next finds room at once. A number is the most that one
 * party may have.
 */
export class FairLimit {
  readonly #limit: number;
  readonly #reservation: 'ForNewcomers' | 'None' | number;
  #total = 0;
  /** Slots that each party holds; a party without any is not in it. */
  readonly #active = new Map<string, number>();
  /** In the order in which the parties had their last turn. */
  readonly #waiting = new Map<string, Set<Waiter>>();

  constructor(limit: number, reservation: 'ForNewcomers' | 'None' | number) {
    this.#limit = limit;
    this.#reservation = reservation;
  }

  /** Slots that are taken. */
  get active(): number {
    return this.#total;
  }

  /** Those who wait now. */
  get waiting(): number {
    let waiting = 0;
    for (const line of this.#waiting.values()) waiting += line.size;
    return waiting;
  }

  /** Waits for a slot; rejects with the abort reason, and then holds none. */
  async enter(party: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#tryEnter(party)) await this.#wait(party, signal);
  }

  /** Gives a slot of the party back. */
  leave(party: string): void {
    const held = (this.#active.get(party) ?? 0) - 1;
    if (held > 0) this.#active.set(party, held);
    else this.#active.delete(party);
    this.#total -= 1;
    // Among equals, whoever had a turn last comes last.
    const line = this.#waiting.get(party);
    if (line !== undefined) {
      this.#waiting.delete(party);
      this.#waiting.set(party, line);
    }
    while (this.#admitNext());
  }

  slotsOf(party: string): RequestLimit {
    return {
      tryEnter: () => this.#tryEnter(party),
      enter: async (signal) => await this.enter(party, signal),
      leave: () => this.leave(party),
    };
  }

  #tryEnter(party: string): boolean {
    if (this.#waiting.has(party) || !this.#hasRoomFor(party)) return false;
    this.#take(party);
    return true;
  }

  #wait(party: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        admit: () => {
          stopListening();
          resolve();
        },
      };
      const stopListening = onAbort(signal, () => {
        this.#leaveLine(party, waiter);
        reject(abortReason(signal));
      });
      const line = this.#waiting.get(party);
      if (line === undefined) this.#waiting.set(party, new Set([waiter]));
      else line.add(waiter);
    });
  }

  #hasRoomFor(party: string): boolean {
    const free = this.#limit - this.#total;
    const held = this.#active.get(party) ?? 0;
    if (free <= 0 || held === 0 || this.#reservation === 'None') return free > 0;
    return held < (this.#reservation === 'ForNewcomers' ? free : this.#reservation);
  }

  #admitNext(): boolean {
    let next: string | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const party of this.#waiting.keys()) {
      const held = this.#active.get(party) ?? 0;
      if (held >= fewest || !this.#hasRoomFor(party)) continue;
      [next, fewest] = [party, held];
    }
    if (next === undefined) return false;
    const line = this.#waiting.get(next) ?? new Set();
    const [waiter] = line;
    if (waiter === undefined) return false;
    this.#leaveLine(next, waiter);
    this.#take(next);
    waiter.admit();
    return true;
  }

  #take(party: string): void {
    this.#active.set(party, (this.#active.get(party) ?? 0) + 1);
    this.#total += 1;
  }

  #leaveLine(party: string, waiter: Waiter): void {
    const line = this.#waiting.get(party);
    line?.delete(waiter);
    if (line?.size === 0) this.#waiting.delete(party);
  }
}
