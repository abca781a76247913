import { referenceOf } from '../core/inventory/entry.ts';
import { apiVersionOf, groupOf } from '../core/objects/identity.ts';
import { isOwnedBy, pruneDisabled, type StageSetOwner } from '../core/objects/ownership.ts';
import { isConflict, isNoKindMatch } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject, ObjectReference } from '../types/kubernetes.ts';
import type { InventoryEntry } from '../types/stages.ts';
import { combinedFailure, objectFailure } from './failures.ts';
import { allFulfilled, eachInFlight } from './in-flight.ts';

const inFlight = 16;

/**
 * What became of an object that should go: `Gone` exists no more, `Terminating` is deleted but held
 * by finalizers, `Foreign` has another owner now, `OptedOut` is ours but asks to be kept.
 */
type DeletionOutcome = 'Gone' | 'Terminating' | 'Foreign' | 'OptedOut';

export interface Deletion {
  readonly entry: InventoryEntry;
  readonly outcome: DeletionOutcome;
}

/**
 * Deletes recorded objects as the tenant (part A 5.8): each is read first, and deleted only while it
 * carries the StageSet's owner labels and does not opt out. Its uid and resourceVersion are
 * preconditions, so that one that was created anew or taken over in between stays. All are
 * attempted; the error names all that failed.
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
      const served = await servedReference(reference, client, call);
      if (served === undefined) return { entry, outcome: 'Gone' } as const;
      return { entry, outcome: await deleteOne(served, owner, client, call) };
    } catch (error) {
      throw objectFailure(reference, error);
    }
  });
  return allFulfilled(results, combinedFailure);
}

/**
 * The object in a version that is served now: the recorded one may have been dropped while the object
 * lives on. Undefined where there can be no such object: its kind is served in no version any more
 * and the CRD took its objects along, or the kind has namespaces and the record none.
 */
export async function servedReference(
  reference: ObjectReference,
  client: KubernetesClient,
  call: CallOptions,
): Promise<ObjectReference | undefined> {
  const { kind, namespace } = reference;
  const group = groupOf(reference.apiVersion);
  try {
    const mapping = await client.discovery.mappingFor(reference.apiVersion, kind, call);
    const lost = mapping.scope === 'Namespaced' && namespace === undefined;
    return lost ? undefined : { ...reference, apiVersion: mapping.apiVersion };
  } catch (error) {
    if (!isNoKindMatch(error)) throw error;
  }
  try {
    const version = await client.discovery.preferredVersion(kind, group, call);
    return { ...reference, apiVersion: apiVersionOf(group, version) };
  } catch (error) {
    if (isNoKindMatch(error)) return undefined;
    throw error;
  }
}

/** How often an object that changes all the time is read again before the next attempt must do. */
const mostReads = 5;

async function deleteOne(
  reference: ObjectReference,
  owner: StageSetOwner,
  client: KubernetesClient,
  call: CallOptions,
): Promise<DeletionOutcome> {
  for (let reads = 1; ; reads += 1) {
    const live = await client.find(reference, call, { as: 'Metadata' });
    if (live === undefined) return 'Gone';
    if (!isOwnedBy(live, owner)) return 'Foreign';
    if (pruneDisabled(live)) return 'OptedOut';
    const { deletionTimestamp } = live.metadata;
    if (deletionTimestamp !== undefined) return 'Terminating';
    const preconditions = preconditionsOf(live);
    try {
      const options = { propagationPolicy: 'Background', preconditions } as const;
      const outcome = await client.delete(reference, options, call);
      return outcome === 'Terminating' ? 'Terminating' : 'Gone';
    } catch (error) {
      // It is not what was read any more: somebody changed it, or created it anew.
      if (!isConflict(error) || reads >= mostReads) throw error;
    }
  }
}

function preconditionsOf({ metadata }: KubernetesObject): {
  uid?: string;
  resourceVersion?: string;
} {
  const { uid, resourceVersion } = metadata;
  return {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
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
      const served = await servedReference(reference, client, call);
      if (served === undefined) return [];
      const live = await client.find(served, call, { as: 'Metadata' });
      const waits = live?.metadata.deletionTimestamp !== undefined && isOwnedBy(live, owner);
      return waits ? [entry] : [];
    } catch (error) {
      throw objectFailure(reference, error);
    }
  });
  return allFulfilled(results, combinedFailure).flat();
}
