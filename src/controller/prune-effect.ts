import { type Deletion, deleteOwned } from '../apply/delete-owned.ts';
import { planPrune } from '../core/inventory/prune.ts';
import { union } from '../core/inventory/sets.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { InventoryEntry, StageSet } from '../types/stages.ts';
import type { InventoryStore, StoredInventory } from './inventory-store.ts';
import { ownerOf } from './owner.ts';
import type { Targets } from './targets.ts';
import type { Tenant } from './tenants.ts';

export interface PruneInput {
  readonly stageSet: StageSet;
  /** Inventories as stored: what any run since the last prune may have applied. */
  readonly stored: Map<string, StoredInventory>;
  /** What the finished run wants, by stage name. */
  readonly desired: ReadonlyMap<string, readonly InventoryEntry[]>;
  /** Told of what is about to be deleted: its end must not be missed as drift. */
  readonly onDeletion: (tenant: Tenant, entry: InventoryEntry) => void;
}

/** An object that was deleted, and the stage that had it. */
export interface Pruned {
  readonly stage: string;
  readonly entry: InventoryEntry;
}

/**
 * Deletes what no stage wants any more, in the plan's order, and only then takes it out of the
 * inventories (part A 5.8): whatever stops this half way, the next run finds the rest recorded.
 * Returns what was deleted, with the stage that had it. Throws one error that names every object
 * that could not be deleted.
 */
export async function prune(
  { stageSet, stored, desired, onDeletion }: PruneInput,
  { targets, inventories }: { targets: Targets; inventories: InventoryStore },
  call: CallOptions,
): Promise<Pruned[]> {
  const stages = stageSet.spec?.stages ?? [];
  const gone: Pruned[] = [];
  for (const step of planPrune([...stored.values()], desired, stages)) {
    const before = stored.get(step.stage);
    if (before === undefined) continue;
    const tenant = await targets.targetOf(stageSet, step.stage, call);
    for (const entry of step.deletions) onDeletion(tenant, entry);
    const deletions = await deleteOwned(step.deletions, ownerOf(stageSet), tenant.client, call);
    const deleted = [...of(deletions, 'Gone'), ...of(deletions, 'Terminating')];
    gone.push(...deleted.map((entry) => ({ stage: step.stage, entry })));
    // Who takes the annotation off again wants it pruned: until then it stays on record.
    const kept = of(deletions, 'OptedOut');
    if (step.kind === 'Remove' && kept.length === 0) {
      await inventories.remove(stageSet, before, call);
      stored.delete(step.stage);
    } else {
      const wanted = step.kind === 'Shrink' ? step.remaining : [];
      const record = { stage: step.stage, position: before.position, entries: union(kept, wanted) };
      stored.set(step.stage, await inventories.record(stageSet, record, before, call));
    }
  }
  return gone;
}

function of(deletions: readonly Deletion[], wanted: Deletion['outcome']): InventoryEntry[] {
  return deletions.flatMap(({ entry, outcome }) => (outcome === wanted ? [entry] : []));
}
