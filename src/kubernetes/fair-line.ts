/** The next in line, with the time at which it got there. */
export interface InLine {
  readonly key: string;
  readonly since: number;
}

export interface FairLineOptions {
  /** Whose a key is. */
  readonly groupOf: (key: string) => string;
  /** Keys of one group that may be with workers at a time, once there are several groups. */
  readonly mostPerGroup: number;
}

/**
 * Keys that wait for a worker, in which groups take turns: a group with a thousand keys delays another
 * one by a single key. A group that has all the workers it may have is passed over, so that passes
 * which take long leave a worker to the others.
 */
export class FairLine {
  readonly #options: FairLineOptions;
  /** Lines by group, the group whose turn it is first. */
  readonly #lines = new Map<string, Map<string, number>>();
  /** Keys with workers, by group. */
  readonly #taken = new Map<string, number>();
  #size = 0;
  #only: string | undefined;
  #several = false;

  constructor(options: FairLineOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  has(key: string): boolean {
    return this.#lines.get(this.#options.groupOf(key))?.has(key) ?? false;
  }

  /** Puts a key in line that is not in it. */
  push(key: string, since: number): void {
    const group = this.#options.groupOf(key);
    this.#several ||= this.#only !== undefined && this.#only !== group;
    this.#only ??= group;
    const line = this.#lines.get(group);
    if (line === undefined) this.#lines.set(group, new Map([[key, since]]));
    else line.set(key, since);
    this.#size += 1;
  }

  /** Takes the next key out; undefined where nobody may have a worker now. */
  take(): InLine | undefined {
    for (const [group, line] of this.#lines) {
      const taken = this.#taken.get(group) ?? 0;
      if (this.#several && taken >= this.#options.mostPerGroup) continue;
      const [first] = line;
      this.#lines.delete(group);
      if (first === undefined) continue;
      const [key, since] = first;
      line.delete(key);
      if (line.size > 0) this.#lines.set(group, line);
      this.#size -= 1;
      this.#taken.set(group, taken + 1);
      return { key, since };
    }
    return undefined;
  }

  /** The worker of a key that was taken is free again. */
  free(key: string): void {
    const group = this.#options.groupOf(key);
    const taken = (this.#taken.get(group) ?? 0) - 1;
    if (taken > 0) this.#taken.set(group, taken);
    else this.#taken.delete(group);
  }

  clear(): void {
    this.#lines.clear();
    this.#size = 0;
  }
}
