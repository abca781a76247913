/** Milliseconds after which half of what was used is forgotten. */
const halfLife = 10_000;

/** Less than this, milliseconds, is nothing. */
const negligible = 1;

/** Parties are looked through for negligible ones when there are so many more. */
const sweepEvery = 1000;

interface Use {
  readonly amount: number;
  /** When that was the amount. */
  readonly at: number;
}

/** How much time each of some parties used of late: half of it is forgotten every ten seconds. */
export class RecentUse {
  readonly #uses = new Map<string, Use>();
  #sweepAt = sweepEvery;

  /** Parties that are known. */
  get size(): number {
    return this.#uses.size;
  }

  /** Adds time, milliseconds, that a party used until `now`. */
  add(party: string, time: number, now: number): void {
    this.#uses.set(party, { amount: this.of(party, now) + time, at: now });
    if (this.#uses.size < this.#sweepAt) return;
    for (const other of this.#uses.keys()) {
      if (this.of(other, now) < negligible) this.#uses.delete(other);
    }
    this.#sweepAt = this.#uses.size + sweepEvery;
  }

  /** Milliseconds that the party used of late. */
  of(party: string, now: number): number {
    const use = this.#uses.get(party);
    return use === undefined ? 0 : use.amount * 0.5 ** ((now - use.at) / halfLife);
  }
}
