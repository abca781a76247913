import { referenceOf } from '../core/inventory/entry.ts';
import { isOwnedBy, pruneDisabled, type StageSetOwner } from '../core/objects/ownership.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { InventoryEntry } from '../types/stages.ts';
import { servedReference } from './delete-owned.ts';
import { combinedFailure, objectFailure } from './failures.ts';
import { allFulfilled, eachInFlight, objectsInFlight } from './in-flight.ts';

/**
 * Of recorded objects those that `deleteOwned` would delete now, as they are: they exist, carry the
 * StageSet's labels, do not opt out and are not on their way already. As the tenant.
 *
 * @throws one error that names every object that could not be read.
 */
export async function previewDeletions(
  entries: readonly InventoryEntry[],
  owner: StageSetOwner,
  client: KubernetesClient,
  call: CallOptions,
): Promise<KubernetesObject[]> {
  const results = await eachInFlight(entries, objectsInFlight, async (entry) => {
    const reference = referenceOf(entry);
    try {
      const served = await servedReference(reference, client, call);
      if (served === undefined) return [];
      const live = await client.find(served, call, { as: 'Metadata' });
      if (live === undefined || !isOwnedBy(live, owner) || pruneDisabled(live)) return [];
      if (live.metadata.deletionTimestamp !== undefined) return [];
      return [{ ...live, apiVersion: served.apiVersion, kind: served.kind }];
    } catch (error) {
      throw objectFailure(reference, error);
    }
  });
  return allFulfilled(results, combinedFailure).flat();
}
