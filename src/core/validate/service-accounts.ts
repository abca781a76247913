import type { StageSetSpec } from '../../types/stages.ts';
import type { FieldProblem } from './field-problem.ts';
import { isSubdomain } from './object-meta.ts';

/** Accounts that cannot be: one that leads to another namespace, for one. An empty name is an absent one. */
export function accountProblems({ serviceAccountName, stages }: StageSetSpec): FieldProblem[] {
  const named: [path: string, name: string | undefined][] = [
    ['spec', serviceAccountName],
    ...stages.map((stage, index): [string, string | undefined] => [
      `spec.stages[${index}]`,
      stage.serviceAccountName,
    ]),
  ];
  return named.flatMap(([path, name = '']) =>
    name === '' || isSubdomain(name)
      ? []
      : [
          {
            path: `${path}.serviceAccountName`,
            message:
              'is not the name of a ServiceAccount; name one of the namespace of the StageSet',
          },
        ],
  );
}
