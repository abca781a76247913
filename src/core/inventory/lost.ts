import type { StageInventory, StageStatus } from '../../types/stages.ts';
import type { RecordedStage } from './deletion.ts';
import { shardNumber } from './shards.ts';

/** A stage's inventory with the shards that say so. */
export interface ShardedRecord extends RecordedStage {
  readonly shards: readonly StageInventory[];
}

/**
 * Names of the spec's stages whose inventory is lost, wholly or in part (part A 5.9): a stage that
 * has applied something always has a shard, since an empty one has one too.
 *
 * A part is lost where a number is missing between the shards that are left, or where the status
 * knew of more shards and of more objects. Only both together count: another shard cap changes the
 * number of shards, and a stop between a prune and the status that tells of it the number of
 * objects.
 */
export function lostStages(
  stages: readonly { readonly name: string }[],
  statuses: readonly StageStatus[],
  stored: ReadonlyMap<string, ShardedRecord>,
): string[] {
  const known = new Map(statuses.map((status) => [status.name, status]));
  return stages
    .map(({ name }) => name)
    .filter((name) => {
      const status = known.get(name);
      const record = stored.get(name);
      if (record === undefined) return status?.appliedRevision !== undefined;
      return hasGap(record) || fellShort(record, status);
    });
}

function hasGap({ shards }: ShardedRecord): boolean {
  const numbers = new Set(shards.map(shardNumber).filter((number) => number >= 0));
  return Math.max(-1, ...numbers) + 1 > numbers.size;
}

function fellShort({ shards, entries }: ShardedRecord, status: StageStatus | undefined): boolean {
  const { shards: shardsOnce = 0, entriesCount = 0 } = status ?? {};
  return shardsOnce > shards.length && entriesCount > entries.length;
}
