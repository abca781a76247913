import type { Stage, StageSetSpec } from '../../types/stages.ts';
import { isVariableName } from '../objects/substitution/variable-name.ts';
import { entryOf, shapeOf } from './field-path.ts';
import type { FieldProblem } from './field-problem.ts';

/** More references than a stage can need; each is a request in every run. */
const maxReferences = 100;

/** Variables of `postBuild` that no expression can name, and more references than are read. */
export function substitutionProblems({ stages }: StageSetSpec): FieldProblem[] {
  return stages.flatMap(({ postBuild }, index) =>
    postBuild === undefined ? [] : problemsOf(postBuild, `spec.stages[${index}].postBuild`),
  );
}

function problemsOf(
  { substitute = {}, substituteFrom = [] }: NonNullable<Stage['postBuild']>,
  path: string,
): FieldProblem[] {
  const problems = Object.keys(substitute)
    .filter((name) => !isVariableName(name))
    .map((name) => ({
      path: entryOf(`${path}.substitute`, name),
      message:
        `the name is ${shapeOf(name)} that no expression can use; ` +
        'name variables with letters, digits and underscores',
    }));
  if (substituteFrom.length <= maxReferences) return problems;
  const message = `has ${substituteFrom.length} entries; put the variables into at most ${maxReferences} objects`;
  return [...problems, { path: `${path}.substituteFrom`, message }];
}
