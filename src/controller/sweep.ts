import { deletableKinds, type FoundObjects, findOwned } from '../apply/find-owned.ts';
import { union } from '../core/inventory/sets.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { isMissingAccount } from '../kubernetes/tokens.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { InventoryEntry, StageSet } from '../types/stages.ts';
import { causedBy } from './failure.ts';
import type { StoredInventory } from './inventory-store.ts';
import { ownerOf } from './owner.ts';
import type { Targets } from './targets.ts';

export interface SweptObjects extends FoundObjects {
  /** Stages that nobody can look for, since their ServiceAccount does not exist, and the error. */
  readonly unreachable: ReadonlyMap<string, unknown>;
}

/**
 * Finds what a StageSet has applied by its labels alone, among all kinds that can be listed and
 * deleted: what to fall back on when a garbage collector took the inventories before the teardown.
 * Every identity of the spec looks for what its own stages have; stages that are no longer in the
 * spec are those of the StageSet's own identity (part A 5.8).
 */
export async function sweep(
  stageSet: StageSet,
  namespaces: readonly string[],
  targets: Targets,
  call: CallOptions,
): Promise<SweptObjects> {
  const names = stageNames(stageSet);
  let whole = '';
  const identities = new Map<string, KubernetesClient>();
  const identityOf = new Map<string, string>();
  for (const name of [undefined, ...names]) {
    const { identity, client } = await targets.targetOf(stageSet, name, call);
    identities.set(identity, client);
    if (name === undefined) whole = identity;
    else identityOf.set(name, identity);
  }
  const byStage = new Map<string, readonly InventoryEntry[]>();
  const unlisted = new Set<string>();
  const unreachable = new Map<string, unknown>();
  for (const [identity, client] of identities) {
    const own = (stage: string): boolean => (identityOf.get(stage) ?? whole) === identity;
    try {
      const search = { kinds: await deletableKinds(client, call), namespaces };
      const found = await findOwned(search, ownerOf(stageSet), client, call);
      for (const [stage, entries] of found.byStage) if (own(stage)) byStage.set(stage, entries);
      for (const kind of found.unlisted) unlisted.add(kind);
    } catch (error) {
      // The other identities must not be kept from their part.
      if (!causedBy(error, isMissingAccount)) throw error;
      for (const stage of names.filter(own)) unreachable.set(stage, error);
    }
  }
  return { byStage, unlisted: [...unlisted].sort(), unreachable };
}

/** The records with what was found besides. */
export function withFound(
  stageSet: StageSet,
  records: ReadonlyMap<string, StoredInventory>,
  { byStage, unreachable }: SweptObjects,
): Map<string, StoredInventory> {
  const all = new Map(records);
  const names = stageNames(stageSet);
  for (const stage of new Set([...byStage.keys(), ...unreachable.keys()])) {
    const record = records.get(stage);
    // A stage that left the spec is the last in the order, and so the first to go.
    const place = names.includes(stage) ? names.indexOf(stage) : names.length;
    const entries = union(record?.entries ?? [], byStage.get(stage) ?? []);
    const { position = place, shards = [] } = record ?? {};
    all.set(stage, { stage, position, shards, entries });
  }
  return all;
}

function stageNames({ spec }: StageSet): string[] {
  return (spec?.stages ?? []).map(({ name }) => name);
}
