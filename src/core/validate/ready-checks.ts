import type { ReadyExpression, StageSetSpec } from '../../types/stages.ts';
import { compileExpression } from '../cel/compile.ts';
import type { FieldProblem } from './field-problem.ts';
import { identityProblems } from './named-objects.ts';

const fields = ['current', 'inProgress', 'failed'] as const satisfies (keyof ReadyExpression)[];

/** Characters of all expressions of a StageSet together: each of them is parsed for the check. */
const mostCharacters = 16_384;

/** Specs that were checked, as long as somebody holds them: they are asked about at each look. */
const checked = new WeakMap<StageSetSpec['stages'], readonly FieldProblem[]>();

/**
 * What could never be waited for: objects that are not named in full (part A 9.4, rule 13), and
 * expressions that could never be evaluated to a bool (part A 6.4).
 */
export function readyCheckProblems({ stages }: StageSetSpec): readonly FieldProblem[] {
  const known = checked.get(stages);
  if (known !== undefined) return known;
  const expressions = expressionsOf(stages);
  const length = expressions.reduce((sum, { text }) => sum + text.length, 0);
  const problems = [
    ...namelessObjects(stages),
    ...(length > mostCharacters ? [tooMuch(length)] : expressions.flatMap(problemOf)),
  ];
  checked.set(stages, problems);
  return problems;
}

function namelessObjects(stages: StageSetSpec['stages']): FieldProblem[] {
  return stages.flatMap(({ readyChecks }, stage) => {
    const at = `spec.stages[${stage}].readyChecks`;
    const { checks = [], exprs = [] } = readyChecks ?? {};
    return [
      ...checks.flatMap(({ apiVersion, kind, name }, index) =>
        identityProblems(`${at}.checks[${index}]`, { apiVersion, kind, name }),
      ),
      ...exprs.flatMap(({ apiVersion, kind }, index) =>
        apiVersion === ''
          ? [{ path: `${at}.exprs[${index}].apiVersion`, message: 'is empty' }]
          : identityProblems(`${at}.exprs[${index}]`, { apiVersion, kind }),
      ),
    ];
  });
}

interface LocatedExpression {
  readonly path: string;
  readonly text: string;
}

function expressionsOf(stages: StageSetSpec['stages']): LocatedExpression[] {
  return stages.flatMap(({ readyChecks }, stage) =>
    (readyChecks?.exprs ?? []).flatMap((expr, index) =>
      fields.flatMap((field) => {
        const text = expr[field] ?? '';
        const path = `spec.stages[${stage}].readyChecks.exprs[${index}].${field}`;
        return text === '' ? [] : [{ path, text }];
      }),
    ),
  );
}

function problemOf({ path, text }: LocatedExpression): FieldProblem[] {
  const compiled = compileExpression(text);
  return compiled.kind === 'Expression' ? [] : [{ path, message: compiled.message }];
}

function tooMuch(length: number): FieldProblem {
  const message =
    `the expressions of all readyChecks.exprs have ${length} characters together; ` +
    `shorten them to ${mostCharacters}`;
  return { path: 'spec.stages', message };
}
