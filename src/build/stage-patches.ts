import type { JsonObject } from '../types/kubernetes.ts';
import type { StagePatch } from '../types/stages.ts';

/**
 * A kustomization with patches of a stage after its own (part A 4.4). Only what the field has is
 * taken over: a patch is text here, and never a reference to a file.
 */
export function withStagePatches(
  kustomization: JsonObject,
  patches: readonly StagePatch[],
): JsonObject {
  if (patches.length === 0) return kustomization;
  const { patches: own } = kustomization;
  const appended = patches.map(({ patch, target }) => ({
    patch,
    ...(target === undefined ? {} : { target: selectorOf(target) }),
  }));
  return {
    ...kustomization,
    patches: [...(Array.isArray(own) ? (own as unknown[]) : []), ...appended],
  };
}

const selectorFields = [
  'group',
  'version',
  'kind',
  'name',
  'namespace',
  'labelSelector',
  'annotationSelector',
] as const;

function selectorOf(target: NonNullable<StagePatch['target']>): JsonObject {
  return Object.fromEntries(
    selectorFields.flatMap((field) =>
      target[field] === undefined ? [] : [[field, target[field]] as const],
    ),
  );
}
