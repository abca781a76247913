import { referenceOf } from '../core/inventory/entry.ts';
import { isOwnedBy, pruneDisabled, type StageSetOwner } from '../core/objects/ownership.ts';
import { isNoKindMatch } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { ObjectReference } from '../types/kubernetes.ts';
import type { InventoryEntry } from '../types/stages.ts';
import { combinedFailure, objectFailure } from './failures.ts';
import { allFulfilled, eachInFlight } from './in-flight.ts';

const inFlight = 16;

/**
 * What became of an object that should go: `Gone` exists no more, `Terminating` is deleted but held
 * by finalizers, `Kept` is not ours to delete (another owner took it, or pruning is disabled on it).
 */
type DeletionOutcome = 'Gone' | 'Terminating' | 'Kept';

export interface Deletion {
  readonly entry: InventoryEntry;
  readonly outcome: DeletionOutcome;
}

/**
 * Deletes recorded objects as the tenant (part A 5.8): each is read first, and deleted only while it
 * carries the StageSet's owner labels and does not opt out, with its uid as precondition, so that
 * one that was created anew in between stays. All are attempted; the error names all that failed.
 */
export async function deleteOwned(
  entries: readonly InventoryEntry[],
  owner: StageSetOwner,
  client: KubernetesClient,
  call: CallOptions,
): Promise<Deletion[]> {
  const results = await eachInFlight(entries, inFlight, async (entry) => {
    const reference = referenceOf(entry);
    try {
      return { entry, outcome: await deleteOne(reference, owner, client, call) };
    } catch (error) {
      // A kind that is no longer served has no objects: its CRD took them along.
      if (isNoKindMatch(error)) return { entry, outcome: 'Gone' } as const;
      throw objectFailure(reference, error);
    }
  });
  return allFulfilled(results, combinedFailure);
}

async function deleteOne(
  reference: ObjectReference,
  owner: StageSetOwner,
  client: KubernetesClient,
  call: CallOptions,
): Promise<DeletionOutcome> {
  const live = await client.find(reference, call, { as: 'Metadata' });
  if (live === undefined) return 'Gone';
  if (!isOwnedBy(live, owner) || pruneDisabled(live)) return 'Kept';
  const { uid, deletionTimestamp } = live.metadata;
  if (deletionTimestamp !== undefined) return 'Terminating';
  const preconditions = uid === undefined ? {} : { uid };
  const outcome = await client.delete(
    reference,
    { propagationPolicy: 'Background', preconditions },
    call,
  );
  return outcome === 'Terminating' ? 'Terminating' : 'Gone';
}

/** Of objects that were deleted, those that still exist. */
export async function stillThere(
  entries: readonly InventoryEntry[],
  owner: StageSetOwner,
  client: KubernetesClient,
  call: CallOptions,
): Promise<InventoryEntry[]> {
  const results = await eachInFlight(entries, inFlight, async (entry) => {
    const reference = referenceOf(entry);
    try {
      const live = await client.find(reference, call, { as: 'Metadata' });
      const waits = live?.metadata.deletionTimestamp !== undefined && isOwnedBy(live, owner);
      return waits ? [entry] : [];
    } catch (error) {
      if (isNoKindMatch(error)) return [];
      throw objectFailure(reference, error);
    }
  });
  return allFulfilled(results, combinedFailure).flat();
}
