/**
 * Items that wait to be worked off, a bounded number in all. Parties take turns, with one item under way
 * each. When there is no room, the party with the most items loses its newest.
 */
export class FairBacklog<Item> {
  readonly #most: number;
  /** The party whose turn it is first. */
  readonly #waiting = new Map<string, Item[]>();
  readonly #underWay = new Set<string>();
  #size = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Items that wait. */
  get size(): number {
    return this.#size;
  }

  /** Adds an item of a party; returns the one that is dropped for it, which may be itself. */
  push(party: string, item: Item): Item | undefined {
    let dropped: Item | undefined;
    if (this.#size >= this.#most) {
      const longest = this.#longest();
      const own = this.#waiting.get(party)?.length ?? 0;
      if (longest === undefined || (this.#waiting.get(longest)?.length ?? 0) <= own) return item;
      dropped = this.#drop(longest);
    }
    const line = this.#waiting.get(party);
    if (line === undefined) this.#waiting.set(party, [item]);
    else line.push(item);
    this.#size += 1;
    return dropped;
  }

  /** The next item, of a party that has none under way; to be followed by `done`. */
  take(): { readonly party: string; readonly item: Item } | undefined {
    for (const [party, line] of this.#waiting) {
      if (this.#underWay.has(party)) continue;
      this.#waiting.delete(party);
      const item = line.shift();
      if (item === undefined) continue;
      if (line.length > 0) this.#waiting.set(party, line);
      this.#size -= 1;
      this.#underWay.add(party);
      return { party, item };
    }
    return undefined;
  }

  /** The item of the party that was taken is no longer under way. */
  done(party: string): void {
    this.#underWay.delete(party);
  }

  clear(): void {
    this.#waiting.clear();
    this.#size = 0;
  }

  #longest(): string | undefined {
    let longest: string | undefined;
    let most = 0;
    for (const [party, { length }] of this.#waiting) {
      if (length > most) [longest, most] = [party, length];
    }
    return longest;
  }

  #drop(party: string): Item | undefined {
    const line = this.#waiting.get(party);
    const dropped = line?.pop();
    if (line?.length === 0) this.#waiting.delete(party);
    this.#size -= 1;
    return dropped;
  }
}
