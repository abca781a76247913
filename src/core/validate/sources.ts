import type { StageSetSpec } from '../../types/stages.ts';
import { dependencyKey } from '../gates/dependency-graph.ts';
import { leavesNamespace } from '../objects/source-artifact.ts';
import { locatedActions } from './actions.ts';
import type { FieldProblem } from './field-problem.ts';
import { sourceReferenceProblems } from './named-objects.ts';

/** References of stages that lead to no source (part A 9.4, rule 2). */
export function sourceProblems({ stages }: StageSetSpec): FieldProblem[] {
  return stages.flatMap(({ sourceRef }, index) =>
    sourceReferenceProblems(`spec.stages[${index}].sourceRef`, sourceRef),
  );
}

/** References into other namespaces, for where `--no-cross-namespace-refs` forbids them (part A 9.5). */
export function foreignReferences(spec: StageSetSpec, ownNamespace: string): FieldProblem[] {
  const { dependsOn = [], stages } = spec;
  const message =
    'is another namespace than that of the StageSet, and references to other namespaces are ' +
    'forbidden here (--no-cross-namespace-refs); leave it out';
  return [
    ...stages.flatMap(({ sourceRef }, index) =>
      leavesNamespace(sourceRef, ownNamespace) ? [`spec.stages[${index}].sourceRef.namespace`] : [],
    ),
    ...locatedActions(spec).flatMap(({ at, action: { job, apply } }) =>
      Object.entries({ job, apply }).flatMap(([type, action]) =>
        action !== undefined && leavesNamespace(action.sourceRef, ownNamespace)
          ? [`${at}.${type}.sourceRef.namespace`]
          : [],
      ),
    ),
    ...dependsOn.flatMap((dependency, index) => {
      const own = dependencyKey({ name: dependency.name }, ownNamespace);
      return dependencyKey(dependency, ownNamespace) === own
        ? []
        : [`spec.dependsOn[${index}].namespace`];
    }),
  ].map((path) => ({ path, message }));
}
