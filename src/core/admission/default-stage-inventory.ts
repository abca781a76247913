import type { AdmissionRequest } from '../../types/generated/admission.k8s.io.v1.ts';
import type { InventoryEntry } from '../../types/stages.ts';
import {
  applySetAnnotations,
  applySetAnnotationsOf,
  applySetId,
  applySetIdLabel,
} from '../inventory/apply-set.ts';
import { shardLabel } from '../inventory/shards.ts';
import { isJsonObject } from '../validate/json-object.ts';
import { type Mutation, noMutation, patchOfMap, sorted } from './json-patch.ts';
import { fieldOf, isBeingDeleted, isStored, metadataOf, nameOf } from './request.ts';

/**
 * Fills in what makes the first StageInventory of a stage the parent of an ApplySet (KEP-3659) where
 * it lacks all of it, as one that was restored from a backup may. Where any of the annotations is
 * there, the controller wrote them: what it left out it left out for a reason.
 */
export function defaultStageInventory(request: AdmissionRequest): Mutation {
  const { object, namespace = '' } = request;
  const metadata = metadataOf(object);
  const labels = fieldOf(metadata, 'labels');
  const name = nameOf(request);
  if (!isStored(request) || isBeingDeleted(request)) return noMutation;
  if (name === '' || labels[shardLabel] !== '0') return noMutation;
  const annotations = fieldOf(metadata, 'annotations');
  const isParent = applySetAnnotations.some((key) => annotations[key] !== undefined);
  const id = labels[applySetIdLabel] === undefined ? applySetId({ name, namespace }) : undefined;
  const patch = [
    ...(id === undefined ? [] : patchOfMap('/metadata/labels', labels, { [applySetIdLabel]: id })),
    ...(isParent
      ? []
      : patchOfMap(
          '/metadata/annotations',
          metadata['annotations'],
          applySetAnnotationsOf(entriesOf(object), namespace),
        )),
  ];
  return { patch: sorted(patch), warnings: [] };
}

function entriesOf(object: AdmissionRequest['object']): InventoryEntry[] {
  const { entries } = fieldOf(object, 'spec');
  if (!Array.isArray(entries)) return [];
  return entries.flatMap((entry: unknown): InventoryEntry[] => {
    if (!isJsonObject(entry)) return [];
    const { id, v } = entry;
    return typeof id === 'string' && typeof v === 'string' ? [{ id, v }] : [];
  });
}
