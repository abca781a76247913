import { canonicalJson } from '../../../core/canonical-json.ts';
import { parseStageSet } from '../../../core/validate/schema.ts';
import type { StagePlanSpec } from '../../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { KubernetesObject } from '../../../types/kubernetes.ts';
import type { Stage, StageSetSpec } from '../../../types/stages.ts';

/**
 * Names of the Secrets whose values go into stages that are built otherwise than the stored spec and
 * its sources have it. Whoever says what is built from a value can have it in the name of an object,
 * in parts, or told by what changes and what does not: no mask helps. None for a spec that is not
 * valid, of which nothing is built.
 */
export function supposedSecrets(
  object: KubernetesObject,
  { proposed, revisions = {} }: StagePlanSpec,
): string[] {
  if (proposed === undefined && Object.keys(revisions).length === 0) return [];
  const stored = specOf(object);
  const spec = proposed === undefined ? stored : specOf({ ...object, spec: proposed });
  if (spec === undefined) return [];
  const known = new Map((stored?.stages ?? []).map((stage) => [stage.name, formOf(stage, stored)]));
  const names = spec.stages
    .filter((stage) => {
      const asStored = known.get(stage.name) === formOf(stage, spec);
      return !asStored || Object.hasOwn(revisions, stage.name);
    })
    .flatMap((stage) => secretsOf(stage, spec));
  return [...new Set(names)];
}

function specOf(object: KubernetesObject): StageSetSpec | undefined {
  // As the planner reads a proposed one, so that equal stages are written alike.
  const parsed = parseStageSet(object, { defaults: 'Apply', unknownFields: 'Report' });
  return parsed.ok ? parsed.value.spec : undefined;
}

/** All of a stage, and of the spec around it, that its objects are made by. */
function formOf(stage: Stage, spec: StageSetSpec | undefined): string {
  return canonicalJson([stage, spec?.decryption ?? {}, spec?.serviceAccountName ?? '']);
}

function secretsOf({ postBuild }: Stage, { decryption }: StageSetSpec): string[] {
  const substituted = (postBuild?.substituteFrom ?? []).flatMap(({ kind, name }) =>
    kind === 'Secret' ? [name] : [],
  );
  const key = decryption?.secretRef?.name;
  return key === undefined ? substituted : [...substituted, key];
}
