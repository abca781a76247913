import type { StageInventory } from '../../types/stages.ts';
import { applySetAnnotations, applySetIdLabel } from './apply-set.ts';
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
  const held = new Map(stored.map((shard) => [shard.metadata.name, idsOf(shard)]));
  const needed = new Set(wanted.flatMap((shard) => [...idsOf(shard)]));
  const before = new Map(stored.map((shard) => [shard.metadata.name, shard]));
  const waiting = new Set(
    wanted.filter((shard) => !isAsWanted(before.get(shard.metadata.name), shard)),
  );
  const widened = new Set<StageInventory>();
  const writes: StageInventory[] = [];
  const write = (shard: StageInventory): void => {
    writes.push(shard);
    held.set(shard.metadata.name, idsOf(shard));
  };
  while (waiting.size > 0) {
    const ready = [...waiting].find((shard) => losesNothing(shard, held, needed));
    const blocked = [...waiting].find((shard) => !widened.has(shard));
    if (ready !== undefined) {
      write(ready);
      waiting.delete(ready);
    } else if (blocked !== undefined) {
      write(withStored(blocked, before.get(blocked.metadata.name)));
      widened.add(blocked);
    }
  }
  return writes;
}

/** Whether all that the shard would drop and somebody wants is listed by another shard now. */
function losesNothing(
  shard: StageInventory,
  held: ReadonlyMap<string, ReadonlySet<string>>,
  needed: ReadonlySet<string>,
): boolean {
  const { name } = shard.metadata;
  const next = idsOf(shard);
  const dropped = [...(held.get(name) ?? [])].filter((id) => needed.has(id) && !next.has(id));
  const others = [...held].filter(([other]) => other !== name).map(([, ids]) => ids);
  return dropped.every((id) => others.some((ids) => ids.has(id)));
}

function withStored(shard: StageInventory, stored: StageInventory | undefined): StageInventory {
  const next = idsOf(shard);
  const kept = (stored?.spec?.entries ?? []).filter(({ id }) => !next.has(id));
  return { ...shard, spec: { ...shard.spec, entries: [...(shard.spec?.entries ?? []), ...kept] } };
}

function idsOf({ spec }: StageInventory): ReadonlySet<string> {
  return new Set((spec?.entries ?? []).map(({ id }) => id));
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
