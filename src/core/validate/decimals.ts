import { parseDecimal } from '../gates/decimal.ts';
import { shapeOf } from './field-path.ts';
import type { FieldProblem } from './field-problem.ts';

/** Why a text is no decimal number, such as a threshold is; undefined when it is one. */
export function decimalProblem(text: string): string | undefined {
  if (parseDecimal(text) !== undefined) return undefined;
  return `is ${shapeOf(text)} that is no decimal number; give one such as "0.05"`;
}

/** The same for a field, which may be absent. */
export function decimalProblems(path: string, text: string | undefined): FieldProblem[] {
  const message = text === undefined ? undefined : decimalProblem(text);
  return message === undefined ? [] : [{ path, message }];
}
