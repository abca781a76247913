import type { StageInventory } from '../../types/stages.ts';

/**
 * Which shards list an object while they are being written one by one, and which of them must wait:
 * a shard that drops a wanted object waits while nobody else lists it. Each step costs what it
 * changes, so that writing thousands of small shards stays linear.
 */
export class Listing {
  readonly #waiting: ReadonlySet<StageInventory>;
  /** What each shard lists, by its name. */
  readonly #listed = new Map<string, ReadonlySet<string>>();
  /** The names of the shards that list an object, by its id. */
  readonly #holders = new Map<string, Set<string>>();
  /** What a shard is to drop though somebody wants it, by the shard's name. */
  readonly #dropped = new Map<string, ReadonlySet<string>>();
  /** Of what a shard is to drop, that which nobody else lists. */
  readonly #alone = new Map<string, Set<string>>();
  readonly #byName = new Map<string, StageInventory>();

  /** @param waiting those of the wanted shards that are still to be written; it shrinks meanwhile */
  constructor(
    stored: readonly StageInventory[],
    wanted: readonly StageInventory[],
    waiting: ReadonlySet<StageInventory>,
  ) {
    this.#waiting = waiting;
    const needed = new Set(wanted.flatMap((shard) => [...idsOf(shard)]));
    for (const shard of stored) this.#list(shard);
    for (const shard of waiting) {
      const { name } = shard.metadata;
      const next = idsOf(shard);
      const listed = [...(this.#listed.get(name) ?? [])];
      const dropped = new Set(listed.filter((id) => needed.has(id) && !next.has(id)));
      this.#byName.set(name, shard);
      this.#dropped.set(name, dropped);
      const alone = [...dropped].filter((id) => this.#holders.get(id)?.size === 1);
      this.#alone.set(name, new Set(alone));
    }
  }

  /** Whether all that the shard would drop and somebody wants is listed by another shard now. */
  losesNothing({ metadata }: StageInventory): boolean {
    return (this.#alone.get(metadata.name)?.size ?? 0) === 0;
  }

  /** Takes a write into account; returns the shards that need not wait any longer because of it. */
  write(shard: StageInventory): StageInventory[] {
    const before = this.#listed.get(shard.metadata.name) ?? new Set();
    const now = this.#list(shard);
    for (const id of before) if (!now.has(id)) this.#drop(id, shard.metadata.name);
    const freed = new Set([shard.metadata.name]);
    for (const id of now) {
      if (before.has(id)) continue;
      for (const holder of this.#holders.get(id) ?? []) {
        if (this.#alone.get(holder)?.delete(id) === true) freed.add(holder);
      }
    }
    return [...freed].flatMap((name) => {
      const free = this.#byName.get(name);
      return free !== undefined && this.#waiting.has(free) && this.losesNothing(free) ? [free] : [];
    });
  }

  #list(shard: StageInventory): ReadonlySet<string> {
    const { name } = shard.metadata;
    const ids = idsOf(shard);
    this.#listed.set(name, ids);
    for (const id of ids) {
      const holders = this.#holders.get(id);
      if (holders === undefined) this.#holders.set(id, new Set([name]));
      else holders.add(name);
    }
    return ids;
  }

  #drop(id: string, name: string): void {
    const holders = this.#holders.get(id);
    holders?.delete(name);
    if (holders?.size !== 1) return;
    for (const last of holders) {
      if (this.#dropped.get(last)?.has(id) === true) this.#alone.get(last)?.add(id);
    }
  }
}

function idsOf({ spec }: StageInventory): ReadonlySet<string> {
  return new Set((spec?.entries ?? []).map(({ id }) => id));
}
