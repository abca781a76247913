import { canonicalJson } from '../core/canonical-json.ts';
import { leavesNamespace } from '../core/objects/source-artifact.ts';
import type { FieldProblem } from '../core/validate/field-problem.ts';
import { metricSourcesOf } from '../core/validate/metric-sources.ts';
import type { MetricSource, SourceReference, StageSetSpec } from '../types/stages.ts';

/**
 * Where a supposed spec reaches further than the stored one. Whoever may ask what if need not be one
 * who may write StageSets, and must not read by a question what they could not read by an answer:
 * sources of other namespaces, which are read as the controller, other clusters, and other metrics.
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
  return [
    ...sources,
    ...otherMetrics(supposed, stored),
    ...unlike(supposed, stored, 'kubeConfig', 'a plan goes to no other cluster'),
    ...otherVersion(supposed, stored),
  ];
}

/** A metric is a request to wherever the spec says, with a token of a Secret where it says so. */
function otherMetrics(
  supposed: StageSetSpec | undefined,
  stored: StageSetSpec | undefined,
): FieldProblem[] {
  const known = new Set(metricSources(stored).map(([, source]) => canonicalJson(source)));
  return metricSources(supposed).flatMap(([path, source]) =>
    known.has(canonicalJson(source))
      ? []
      : [{ path, message: 'is not in the stored spec, and a plan reads no other metric' }],
  );
}

function metricSources(spec: StageSetSpec | undefined): [path: string, source: MetricSource][] {
  return spec === undefined ? [] : metricSourcesOf(spec);
}

/** A path that is asked again and again would tell what variables of Secrets have been put in. */
function otherVersion(
  supposed: StageSetSpec | undefined,
  stored: StageSetSpec | undefined,
): FieldProblem[] {
  const [wanted, given] = [supposed, stored].map((spec) =>
    canonicalJson(spec?.version?.fromObject ?? {}),
  );
  if (supposed?.version?.fromObject === undefined || wanted === given) return [];
  const message = 'is not that of the stored spec, and a plan looks at nothing else for a version';
  return [{ path: 'spec.version.fromObject', message }];
}

function unlike(
  supposed: StageSetSpec | undefined,
  stored: StageSetSpec | undefined,
  field: 'kubeConfig',
  why: string,
): FieldProblem[] {
  const [wanted, given] = [supposed, stored].map((spec) => canonicalJson(spec?.[field] ?? {}));
  return wanted === given
    ? []
    : [{ path: `spec.${field}`, message: `is not that of the stored spec, and ${why}` }];
}

function keyOf(reference: SourceReference, ownNamespace: string): string {
  const { apiVersion = '', kind = '', name, namespace = '' } = reference;
  const place = namespace === '' ? ownNamespace : namespace;
  return canonicalJson([apiVersion, kind, place, name]);
}
