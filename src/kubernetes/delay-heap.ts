interface Entry {
  key: string;
  due: number;
  /** Place in the array, so that an entry can be moved or removed without a search. */
  place: number;
}

/** Keys ordered by the time at which they are due: a binary heap with one entry a key. */
export class DelayHeap {
  readonly #heap: Entry[] = [];
  readonly #byKey = new Map<string, Entry>();

  get size(): number {
    return this.#heap.length;
  }

  /** Adds the key, or moves it forward when it is there with a later time. */
  push(key: string, due: number): void {
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      if (known.due <= due) return;
      known.due = due;
      this.#up(known);
      return;
    }
    const entry: Entry = { key, due, place: this.#heap.length };
    this.#heap.push(entry);
    this.#byKey.set(key, entry);
    this.#up(entry);
  }

  /** The earliest time at which a key is due. */
  earliest(): number | undefined {
    return this.#heap[0]?.due;
  }

  dueOf(key: string): number | undefined {
    return this.#byKey.get(key)?.due;
  }

  /** Takes out the earliest key if it is due at `now`. */
  popDue(now: number): string | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.due > now) return undefined;
    this.remove(first.key);
    return first.key;
  }

  remove(key: string): void {
    const entry = this.#byKey.get(key);
    if (entry === undefined) return;
    this.#byKey.delete(key);
    const last = this.#heap.pop();
    if (last === undefined || last === entry) return;
    this.#place(last, entry.place);
    this.#up(last);
    this.#down(last);
  }

  clear(): void {
    this.#heap.length = 0;
    this.#byKey.clear();
  }

  #up(entry: Entry): void {
    while (entry.place > 0) {
      const parent = this.#heap[(entry.place - 1) >> 1];
      if (parent === undefined || parent.due <= entry.due) return;
      this.#swap(entry, parent);
    }
  }

  #down(entry: Entry): void {
    for (;;) {
      const left = this.#heap[2 * entry.place + 1];
      const right = this.#heap[2 * entry.place + 2];
      const child =
        right !== undefined && left !== undefined && right.due < left.due ? right : left;
      if (child === undefined || child.due >= entry.due) return;
      this.#swap(entry, child);
    }
  }

  #swap(a: Entry, b: Entry): void {
    const place = a.place;
    this.#place(a, b.place);
    this.#place(b, place);
  }

  #place(entry: Entry, place: number): void {
    entry.place = place;
    this.#heap[place] = entry;
  }
}
