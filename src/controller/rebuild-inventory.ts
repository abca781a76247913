import { findOwned, type OwnerQuery } from '../apply/find-owned.ts';
import { searchFor } from '../core/inventory/search.ts';
import { union } from '../core/inventory/sets.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { InventoryEntry } from '../types/stages.ts';
import type { StageSetMemory } from './memory.ts';

/** A stage's inventory as its objects tell it by their labels. */
export interface RebuiltInventory {
  readonly entries: readonly InventoryEntry[];
  /** Kinds that could not be listed in full; what the stage has of them may be missing. */
  readonly unlisted: readonly string[];
}

/**
 * Rebuilds the inventory of a stage whose shards are lost (part A 5.9): lists as the stage's own
 * identity the kinds that are rendered now and, since those leave out what a release has dropped,
 * the kinds that any surviving record names. What the controller itself remembers counts as well.
 */
export async function rebuildInventory(
  owner: OwnerQuery & { readonly stage: string },
  rendered: readonly InventoryEntry[],
  { inventories, remembered }: StageSetMemory,
  client: KubernetesClient,
  call: CallOptions,
): Promise<RebuiltInventory> {
  const records = [...(inventories?.values() ?? []), ...remembered.values()];
  const search = searchFor(rendered, records, owner.namespace);
  const { byStage, unlisted } = await findOwned(search, owner, client, call);
  const known = remembered.get(owner.stage)?.entries ?? [];
  return { entries: union(known, byStage.get(owner.stage) ?? []), unlisted };
}
