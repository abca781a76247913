import { fieldManager } from '../apply/field-manager.ts';
import { finalizer } from '../core/finalizer.ts';
import { referenceTo } from '../core/objects/identity.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { withoutManagedFields } from '../kubernetes/store.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { StageSet } from '../types/stages.ts';

/** Adds our finalizer, so that a deletion waits for the teardown. Returns the StageSet as stored. */
export async function addFinalizer(
  client: KubernetesClient,
  stageSet: StageSet,
  call: CallOptions,
): Promise<StageSet> {
  const { uid, resourceVersion, finalizers = [] } = stageSet.metadata;
  // With the resourceVersion, so that a finalizer which somebody else just added is not lost.
  const body = { metadata: { uid, resourceVersion, finalizers: [...finalizers, finalizer] } };
  const patch = { type: 'Merge', body, fieldManager } as const;
  const stored = await client.patch(referenceTo(stageSet), patch, call);
  return { ...stageSet, metadata: withoutManagedFields(stored).metadata };
}

/** The StageSet as it is once our finalizer is gone. */
export function withoutFinalizer(stageSet: StageSet): StageSet {
  const finalizers = (stageSet.metadata.finalizers ?? []).filter((held) => held !== finalizer);
  return { ...stageSet, metadata: { ...stageSet.metadata, finalizers } };
}
