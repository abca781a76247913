import type { StageSet } from '../../types/stages.ts';
import { dependencyKey, keyOfStageSet } from '../gates/dependency-graph.ts';
import { negativeDurations } from './durations.ts';
import type { FieldProblem } from './field-problem.ts';
import { ladderVersionProblems, lostAnchors } from './migrations.ts';
import { foreignReferences } from './sources.ts';
import { stageSetProblems } from './stage-set.ts';
import { unreadableVersions } from './versions.ts';

/** What an installation allows. */
export interface AdmissionRules {
  /** `--no-cross-namespace-refs` */
  readonly crossNamespaceReferences: 'Allowed' | 'Refused';
}

/**
 * All that keeps a StageSet from being stored: what its spec has wrong, and what the controller would
 * live with or find out while it works. That is not asked of what is stored already, whose state has
 * reasons of its own: a cycle of `dependsOn` is `Stalled`, a foreign source is `ResolveFailed`.
 */
export function admissionProblems(stageSet: StageSet, rules: AdmissionRules): FieldProblem[] {
  const { metadata, spec = { stages: [] } } = stageSet;
  return [
    ...stageSetProblems(stageSet),
    ...negativeDurations(spec),
    ...selfDependencies(stageSet),
    ...unreadableVersions(spec),
    ...ladderVersionProblems(spec.migrations ?? [], (index) => `spec.migrations[${index}]`),
    ...lostAnchors(spec),
    ...(rules.crossNamespaceReferences === 'Refused'
      ? foreignReferences(spec, metadata.namespace ?? '')
      : []),
  ];
}

function selfDependencies(stageSet: StageSet): FieldProblem[] {
  const { metadata, spec } = stageSet;
  const own = keyOfStageSet(stageSet);
  return (spec?.dependsOn ?? []).flatMap((dependency, index) =>
    dependencyKey(dependency, metadata.namespace ?? '') === own
      ? [{ path: `spec.dependsOn[${index}]`, message: 'is this StageSet itself; remove it' }]
      : [],
  );
}
