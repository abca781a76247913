import type { StageSetSpec } from '../../types/stages.ts';
import { mostNamed } from '../gates/dependency-graph.ts';
import { parseVersion } from '../version/semver.ts';
import type { FieldProblem } from './field-problem.ts';

/** What is wrong with `spec.dependsOn` by itself (part A 9.4, rule 15). */
export function dependencyProblems({ dependsOn = [] }: StageSetSpec): FieldProblem[] {
  if (dependsOn.length > mostNamed) {
    const message = `names ${dependsOn.length} StageSets; at most ${mostNamed} are allowed`;
    return [{ path: 'spec.dependsOn', message }];
  }
  return dependsOn.flatMap(({ name, minVersion }, index): FieldProblem[] => {
    const path = `spec.dependsOn[${index}]`;
    if (name === '') return [{ path: `${path}.name`, message: 'is empty; name a StageSet' }];
    if (minVersion === undefined || parseVersion(minVersion) !== undefined) return [];
    const message = `is ${minVersion.slice(0, 64)}, which is no semantic version such as 1.4.0`;
    return [{ path: `${path}.minVersion`, message }];
  });
}
