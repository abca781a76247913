import { RecentUse } from './recent-use.ts';

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

/** Keys with workers of a group that gives way. One goes on, so that nobody stands still. */
const mostOfYielding = 1;

/** It rests so many times as long as its last key took a worker, but no longer than so many milliseconds. */
const restShare = 3;
const longestRest = 400;

/** A group that used less worker time of late than this, milliseconds, gives way to nobody. */
const heavyUse = 250;

/** It gives way to a group that used so many times less. */
const manyTimes = 4;

/** A group that had a worker so long ago, milliseconds, most likely comes back for the rest of its work. */
const lately = 100;

/**
 * Keys that wait for a worker, in which groups take turns: a group with a thousand keys delays another
 * one by a single key. A group that has all the workers it may have is passed over, so that passes
 * which take long leave a worker to the others. One that kept workers busy of late has a quarter of a
 * worker while another is at work that asks for little: beyond workers they share the processor, the
 * API server and its disk.
 */
export class FairLine {
  readonly #options: FairLineOptions;
  /** Lines by group, the group whose turn it is first. */
  readonly #lines = new Map<string, Map<string, number>>();
  /** Keys with workers, by group. */
  readonly #taken = new Map<string, number>();
  /** Groups whose last key a worker has finished a moment ago, in the order of that. */
  readonly #left = new Map<string, number>();
  /** Until when a group that gives way rests. */
  readonly #rests = new Map<string, number>();
  readonly #use = new RecentUse();
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
  take(now: number): InLine | undefined {
    for (const [group, line] of this.#lines) {
      const taken = this.#taken.get(group) ?? 0;
      if (this.#several && !this.#mayHaveOneMore(group, taken, now)) continue;
      const [first] = line;
      this.#lines.delete(group);
      if (first === undefined) continue;
      const [key, since] = first;
      line.delete(key);
      if (line.size > 0) this.#lines.set(group, line);
      this.#size -= 1;
      this.#taken.set(group, taken + 1);
      this.#left.delete(group);
      return { key, since };
    }
    return undefined;
  }

  /** The worker of a key that was taken is free again, after so many milliseconds. */
  free(key: string, worked: number, now: number): void {
    const group = this.#options.groupOf(key);
    this.#use.add(group, worked, now);
    const taken = (this.#taken.get(group) ?? 0) - 1;
    if (taken > 0) this.#taken.set(group, taken);
    else {
      this.#taken.delete(group);
      this.#left.delete(group);
      this.#left.set(group, now);
    }
    if (this.#yields(group, now)) this.#rest(group, worked, now);
  }

  #rest(group: string, worked: number, now: number): void {
    for (const [other, until] of this.#rests) if (until <= now) this.#rests.delete(other);
    this.#rests.set(group, now + Math.min(worked * restShare, longestRest));
  }

  clear(): void {
    this.#lines.clear();
    this.#size = 0;
  }

  #mayHaveOneMore(group: string, taken: number, now: number): boolean {
    if (taken >= this.#options.mostPerGroup) return false;
    const rests = now < (this.#rests.get(group) ?? now);
    if (!rests && taken < mostOfYielding) return true;
    return !this.#yields(group, now);
  }

  /** Whether a group that asks for far less is at work, or was until a moment ago. */
  #yields(group: string, now: number): boolean {
    const used = this.#use.of(group, now);
    if (used < heavyUse) return false;
    const isLight = (other: string): boolean => this.#use.of(other, now) * manyTimes < used;
    for (const [other, since] of this.#left) {
      if (now - since <= lately) break;
      this.#left.delete(other);
    }
    return [this.#taken, this.#lines, this.#left].some((groups) => {
      for (const other of groups.keys()) if (isLight(other)) return true;
      return false;
    });
  }
}
