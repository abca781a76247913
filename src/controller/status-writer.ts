import { fieldManager } from '../apply/field-manager.ts';
import { referenceTo } from '../core/objects/identity.ts';
import { isNotFound } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { withoutManagedFields } from '../kubernetes/store.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { StageSet, StageSetStatus } from '../types/stages.ts';
import { mergePatch } from './merge-patch.ts';

/**
 * Writes a StageSet's status as a merge patch of what changed, so that an edit of the spec at the
 * same moment is no conflict. The uid in the patch makes it miss an object that was deleted and
 * created again under the same name.
 */
export class StatusWriter {
  readonly #client: KubernetesClient;

  constructor(client: KubernetesClient) {
    this.#client = client;
  }

  /** The StageSet with its new status as stored, or the same object when nothing changed. */
  async write(stageSet: StageSet, status: StageSetStatus, call: CallOptions): Promise<StageSet> {
    const patch = mergePatch({ ...stageSet.status }, { ...status });
    if (patch === undefined) return stageSet;
    const { metadata } = stageSet;
    const body = { metadata: { uid: metadata.uid }, status: patch };
    const options = { type: 'Merge', body, fieldManager, subresource: 'status' } as const;
    try {
      const stored = await this.#client.patch(referenceTo(stageSet), options, call);
      // An edit came in between: its spec must not be passed over for ours, the watch brings both.
      if (stored.metadata.generation !== metadata.generation) return { ...stageSet, status };
      return { ...stageSet, metadata: withoutManagedFields(stored).metadata, status };
    } catch (error) {
      // Deleted a moment ago: nobody is left to tell.
      if (isNotFound(error)) return stageSet;
      throw error;
    }
  }
}
