import type { StageSetMemory } from './memory.ts';

/** Entries of all inventories in memory together, at some 400 bytes each. */
const defaultCapacity = 250_000;

/** A shard has labels, owner and annotations besides its entries. */
const weightOfShard = 10;

/**
 * Bounds what the inventories of all StageSets take in memory. Those of the StageSets that were looked
 * at longest ago are dropped first, and read again when their next run needs them, for one list each.
 * A run or teardown under way keeps its own.
 */
export class InventoryBudget {
  readonly #capacity: number;
  /** In the order of the last pass. */
  readonly #held = new Map<string, { memory: StageSetMemory; weight: number }>();
  #total = 0;

  constructor(capacity = defaultCapacity) {
    this.#capacity = capacity;
  }

  /** The weight of all that is held; about the number of entries. */
  get total(): number {
    return this.#total;
  }

  /** To be told at the end of each pass over a StageSet. */
  settle(key: string, memory: StageSetMemory): void {
    this.forget(key);
    const weight = weightOf(memory);
    this.#held.set(key, { memory, weight });
    this.#total += weight;
    for (const [oldest, { memory: other }] of this.#held) {
      if (this.#total <= this.#capacity) return;
      if (isUnderWay(other)) continue;
      other.inventories = undefined;
      other.remembered = new Map();
      this.forget(oldest);
    }
  }

  /** The StageSet is gone. */
  forget(key: string): void {
    this.#total -= this.#held.get(key)?.weight ?? 0;
    this.#held.delete(key);
  }
}

function isUnderWay({ run, teardown }: StageSetMemory): boolean {
  return teardown !== undefined || (run !== undefined && run.outcome === undefined);
}

function weightOf({ inventories, remembered }: StageSetMemory): number {
  const stored = [...(inventories?.values() ?? []), ...remembered.values()];
  return stored.reduce(
    (sum, { entries, shards }) => sum + entries.length + weightOfShard * shards.length,
    0,
  );
}
