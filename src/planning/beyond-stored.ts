import { canonicalJson } from '../core/canonical-json.ts';
import { leavesNamespace } from '../core/objects/source-artifact.ts';
import type { FieldProblem } from '../core/validate/field-problem.ts';
import type { SourceReference, StageSetSpec } from '../types/stages.ts';

/**
 * Where a supposed spec reaches further than the stored one. Whoever may ask what if need not be one
 * who may write StageSets, and must not read by a question what they could not read by an answer:
 * sources of other namespaces, which are read as the controller, and other clusters.
 */
export function beyondStored(
  supposed: StageSetSpec | undefined,
  stored: StageSetSpec | undefined,
  namespace: string,
): FieldProblem[] {
  const known = new Set((stored?.stages ?? []).map(({ sourceRef }) => keyOf(sourceRef, namespace)));
  const sources = (supposed?.stages ?? []).flatMap(({ sourceRef }, index): FieldProblem[] => {
    if (!leavesNamespace(sourceRef, namespace) || known.has(keyOf(sourceRef, namespace))) return [];
    const path = `spec.stages[${index}].sourceRef.namespace`;
    return [{ path, message: 'a plan reads no source of another namespace but the stored ones' }];
  });
  const [wanted, given] = [supposed, stored].map((spec) => canonicalJson(spec?.kubeConfig ?? {}));
  if (wanted === given) return sources;
  const message = 'is not that of the stored spec, and a plan goes to no other cluster';
  return [...sources, { path: 'spec.kubeConfig', message }];
}

function keyOf(reference: SourceReference, ownNamespace: string): string {
  const { apiVersion = '', kind = '', name, namespace = '' } = reference;
  const place = namespace === '' ? ownNamespace : namespace;
  return canonicalJson([apiVersion, kind, place, name]);
}
