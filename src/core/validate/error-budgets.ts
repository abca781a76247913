import type { ErrorBudget, StageSetSpec } from '../../types/stages.ts';
import { parseDecimal } from '../gates/decimal.ts';
import { decimalProblems } from './decimals.ts';
import { isPositive } from './durations.ts';
import type { FieldProblem } from './field-problem.ts';

/** What is wrong with the error budgets of a spec but for their sources (part B 4.1). */
export function errorBudgetProblems({ errorBudget, stages }: StageSetSpec): FieldProblem[] {
  return [
    ...problemsOf('spec.errorBudget', errorBudget),
    ...stages.flatMap((stage, index) =>
      problemsOf(`spec.stages[${index}].errorBudget`, stage.errorBudget),
    ),
  ];
}

function problemsOf(path: string, budget: ErrorBudget | undefined): FieldProblem[] {
  if (budget === undefined) return [];
  const { freezeThreshold, resumeThreshold, interval } = budget;
  const problems = [
    ...intervalProblems(`${path}.interval`, interval),
    ...decimalProblems(`${path}.freezeThreshold`, freezeThreshold),
    ...decimalProblems(`${path}.resumeThreshold`, resumeThreshold),
  ];
  if (problems.length > 0 || resumeThreshold === undefined) return problems;
  if ((parseDecimal(resumeThreshold) ?? 0) >= (parseDecimal(freezeThreshold) ?? 0)) return [];
  const message = 'is below freezeThreshold; a budget thaws where it freezes, or above';
  return [{ path: `${path}.resumeThreshold`, message }];
}

function intervalProblems(path: string, interval: string | undefined): FieldProblem[] {
  if (interval === undefined || isPositive(interval)) return [];
  return [{ path, message: 'must be above 0; leave it out for spec.retryInterval' }];
}
