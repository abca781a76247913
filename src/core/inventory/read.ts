import type { InventoryEntry, StageInventory } from '../../types/stages.ts';
import { parseEntry } from './entry.ts';
import { union } from './sets.ts';
import { shardNumber } from './shards.ts';

/** What the stored shards of one stage say together. */
export interface ReadInventory {
  /** Sorted by id, each object once. */
  readonly entries: readonly InventoryEntry[];
  /** The highest that any shard records, 0 when none does. */
  readonly position: number;
  /** Ids that name no object. What they stood for is never pruned, so they must be reported. */
  readonly malformed: readonly string[];
}

/**
 * Reads the shards of one stage back, whatever their names: also those that an interrupted write
 * left behind. An object that several of them list counts once.
 */
export function entriesOf(shards: readonly StageInventory[]): ReadInventory {
  // Shards without a readable number come first, so that any other overrides what they say.
  const inOrder = [...shards].sort((one, other) => shardNumber(one) - shardNumber(other));
  const readable: InventoryEntry[] = [];
  const malformed: string[] = [];
  for (const entry of inOrder.flatMap(({ spec }) => spec?.entries ?? [])) {
    if (parseEntry(entry) === undefined) malformed.push(entry.id);
    else readable.push(entry);
  }
  const positions = inOrder.map(({ spec }) => spec?.stagePosition ?? 0);
  return { entries: union([], readable), position: Math.max(0, ...positions), malformed };
}
