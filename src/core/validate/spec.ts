import type { StageSetSpec } from '../../types/stages.ts';
import { parseDuration } from '../duration.ts';
import { dependencyProblems } from './dependencies.ts';
import type { FieldProblem } from './field-problem.ts';
import { kubeConfigProblems } from './kube-config.ts';
import { readyCheckProblems } from './ready-checks.ts';
import { substitutionProblems } from './substitution.ts';
import { unsupportedFields } from './unsupported.ts';

/**
 * What is wrong with a spec beyond what its schema says (part A 9.4). Admission and reconciler both
 * ask here.
 */
export function specProblems(spec: StageSetSpec): FieldProblem[] {
  return [
    ...repeatedStages(spec),
    ...unreadableDurations(spec),
    ...substitutionProblems(spec),
    ...readyCheckProblems(spec),
    ...dependencyProblems(spec),
    ...kubeConfigProblems(spec),
    ...unsupportedFields(spec),
  ];
}

function repeatedStages({ stages }: StageSetSpec): FieldProblem[] {
  const seen = new Map<string, number>();
  return stages.flatMap(({ name }, index) => {
    const first = seen.get(name);
    if (first === undefined) {
      seen.set(name, index);
      return [];
    }
    const message = `is ${name}, which spec.stages[${first}] is called already; give it another name`;
    return [{ path: `spec.stages[${index}].name`, message }];
  });
}

/** Durations of the right form can still be longer than Go can count. */
function unreadableDurations(spec: StageSetSpec): FieldProblem[] {
  const fields = new Map<string, string | undefined>([
    ['spec.interval', spec.interval],
    ['spec.retryInterval', spec.retryInterval],
    ['spec.driftDetectionInterval', spec.driftDetectionInterval],
    ['spec.timeout', spec.timeout],
  ]);
  for (const [index, { timeout, readyChecks }] of spec.stages.entries()) {
    fields.set(`spec.stages[${index}].timeout`, timeout);
    fields.set(`spec.stages[${index}].readyChecks.timeout`, readyChecks?.timeout);
  }
  return [...fields].flatMap(([path, text]) => {
    try {
      if (text !== undefined) parseDuration(text);
      return [];
    } catch (error) {
      return [{ path, message: error instanceof Error ? error.message : String(error) }];
    }
  });
}
