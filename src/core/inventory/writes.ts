import type { StageInventory } from '../../types/stages.ts';
import { applySetAnnotations, applySetIdLabel } from './apply-set.ts';
import { Listing } from './listing.ts';
import { shardLabel, stageLabel, stageSetLabel } from './shards.ts';

/**
 * The writes that turn the stored shards of a stage into the wanted ones, in an order that a stop
 * at any point survives: every object that was listed and still is wanted stays listed in some
 * shard throughout. Shards that are as wanted already are not written; surplus ones are to be
 * deleted after all writes.
 *
 * Where entries move from shard to shard the receiving shard goes first. Should two shards wait for
 * each other, one of them is written twice, first with what it had and what it will have.
 */
export function shardWrites(
  stored: readonly StageInventory[],
  wanted: readonly StageInventory[],
): StageInventory[] {
  const before = new Map(stored.map((shard) => [shard.metadata.name, shard]));
  const waiting = new Set(
    wanted.filter((shard) => !isAsWanted(before.get(shard.metadata.name), shard)),
  );
  const listing = new Listing(stored, wanted, waiting);
  // Of a record that is not there yet, the first shard is last: a stop before leaves a gap, and what
  // was found by labels is looked for again instead of being taken for complete.
  const narrowest = stored.length === 0 ? [...waiting].reverse() : [...waiting];
  const ready = narrowest.filter((shard) => listing.losesNothing(shard));
  const writes: StageInventory[] = [];
  while (waiting.size > 0) {
    const next = ready.shift();
    if (next === undefined) {
      const blocked = narrowest.shift();
      // All are widened: what each of them drops is where it belongs by now.
      if (blocked === undefined) return [...writes, ...waiting];
      if (!waiting.has(blocked)) continue;
      const wide = withStored(blocked, before.get(blocked.metadata.name));
      writes.push(wide);
      ready.push(...listing.write(wide));
    } else if (waiting.has(next) && listing.losesNothing(next)) {
      waiting.delete(next);
      writes.push(next);
      ready.push(...listing.write(next));
    }
  }
  return writes;
}

function withStored(shard: StageInventory, stored: StageInventory | undefined): StageInventory {
  const next = new Set((shard.spec?.entries ?? []).map(({ id }) => id));
  const kept = (stored?.spec?.entries ?? []).filter(({ id }) => !next.has(id));
  return { ...shard, spec: { ...shard.spec, entries: [...(shard.spec?.entries ?? []), ...kept] } };
}

function isAsWanted(stored: StageInventory | undefined, wanted: StageInventory): boolean {
  return stored !== undefined && contentOf(stored) === contentOf(wanted);
}

/** What this project says in a shard, without what the API server added. */
function contentOf({ metadata, spec }: StageInventory): string {
  const labels = [stageSetLabel, stageLabel, shardLabel, applySetIdLabel].map(
    (key) => metadata.labels?.[key],
  );
  const annotations = applySetAnnotations.map((key) => metadata.annotations?.[key]);
  const owners = (metadata.ownerReferences ?? []).map(({ uid }) => uid);
  const entries = (spec?.entries ?? []).map(({ id, v }) => [id, v]);
  return JSON.stringify([labels, annotations, owners, spec?.stagePosition, entries]);
}
