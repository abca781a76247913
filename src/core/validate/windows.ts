import type { StageSetSpec } from '../../types/stages.ts';
import { windowFaultPath, windowsProblem } from '../gates/windows.ts';
import type { FieldProblem } from './field-problem.ts';

/** The first of the update windows that cannot be understood (part A 9.4, rule 16). */
export function windowProblems({ updateWindows = [] }: StageSetSpec): FieldProblem[] {
  const problem = windowsProblem(updateWindows);
  if (problem === undefined) return [];
  return [{ path: windowFaultPath(problem), message: problem.message }];
}
