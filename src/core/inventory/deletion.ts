import type { InventoryEntry } from '../../types/stages.ts';
import { deletionOrder } from '../objects/order.ts';
import { parseEntry } from './entry.ts';

/** One stage's inventory as it is recorded. */
export interface RecordedStage {
  readonly stage: string;
  /** Index of the stage in the spec when the inventory was written. */
  readonly position: number;
  readonly entries: readonly InventoryEntry[];
}

/** What of a stage of the spec matters to deletion. */
export interface PrunableStage {
  readonly name: string;
  /** Absent means true (part A 1.1.1). */
  readonly prune?: boolean | undefined;
}

/** Names of the stages whose objects are never deleted while the stage is in the spec. */
export function stagesThatKeep(stages: readonly PrunableStage[]): ReadonlySet<string> {
  return new Set(stages.filter(({ prune }) => prune === false).map(({ name }) => name));
}

/**
 * The entries in the order of deletion of their objects, the reverse of that of application (part A
 * 5.2). Malformed ones are left out: what cannot be read cannot be deleted.
 */
export function inDeletionOrder(entries: readonly InventoryEntry[]): InventoryEntry[] {
  const readable = entries.flatMap((entry) => {
    const reference = parseEntry(entry);
    return reference === undefined ? [] : [{ ...reference, entry }];
  });
  return deletionOrder(readable).map(({ entry }) => entry);
}

/** Stages in the order of deletion: highest recorded position first, then by name. */
export function lastStageFirst<T extends RecordedStage>(stages: readonly T[]): T[] {
  return [...stages].sort(
    (one, other) =>
      other.position - one.position ||
      (one.stage < other.stage ? -1 : one.stage > other.stage ? 1 : 0),
  );
}
