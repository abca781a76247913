import { deleteOwned } from '../apply/delete-owned.ts';
import { planPrune } from '../core/inventory/prune.ts';
import { difference } from '../core/inventory/sets.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { InventoryEntry, StageSet } from '../types/stages.ts';
import type { InventoryStore, StoredInventory } from './inventory-store.ts';
import { ownerOf } from './stage-effects.ts';
import type { Tenants } from './tenants.ts';

export interface PruneInput {
  readonly stageSet: StageSet;
  /** Inventories as stored: what any run since the last prune may have applied. */
  readonly stored: Map<string, StoredInventory>;
  /** What the finished run wants, by stage name. */
  readonly desired: ReadonlyMap<string, readonly InventoryEntry[]>;
}

/**
 * Deletes what no stage wants any more, in the plan's order, and only then takes it out of the
 * inventories (part A 5.8): whatever stops this half way, the next run finds the rest recorded.
 * Returns what was deleted. Throws one error that names every object that could not be deleted.
 */
export async function prune(
  { stageSet, stored, desired }: PruneInput,
  { tenants, inventories }: { tenants: Tenants; inventories: InventoryStore },
  call: CallOptions,
): Promise<InventoryEntry[]> {
  const stages = stageSet.spec?.stages ?? [];
  const plan = planPrune({
    recorded: [...stored.values()],
    desired,
    stages: stages.map(({ name, prune: pruned }) => ({ name, prune: pruned !== false })),
  });
  const gone: InventoryEntry[] = [];
  for (const { stage, entries, removed } of plan) {
    const { client } = tenants.tenantOf(stageSet, stage);
    const deletions = await deleteOwned(entries, ownerOf(stageSet), client, call);
    gone.push(...deletions.flatMap(({ entry, outcome }) => (outcome === 'Kept' ? [] : [entry])));
    const before = stored.get(stage);
    if (before === undefined) continue;
    if (removed) {
      await inventories.remove(stageSet, before, call);
      stored.delete(stage);
    }
  }
  await shrink({ stageSet, stored, desired }, inventories, call);
  return gone;
}

/** Every remaining inventory becomes exactly what the run wants of its stage. */
async function shrink(
  { stageSet, stored, desired }: PruneInput,
  inventories: InventoryStore,
  call: CallOptions,
): Promise<void> {
  for (const [position, { name: stage, prune: pruned }] of (stageSet.spec?.stages ?? []).entries()) {
    const entries = desired.get(stage);
    const before = stored.get(stage);
    if (entries === undefined || before === undefined) continue;
    const same = before.position === position && difference(before.entries, entries).length === 0;
    // A stage that must not prune keeps its record, so that pruning can be turned on later.
    if (same || pruned === false) continue;
    stored.set(stage, await inventories.record(stageSet, { stage, position, entries }, before, call));
  }
}
