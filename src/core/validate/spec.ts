import type { StageSetSpec } from '../../types/stages.ts';
import { longestLabel } from '../objects/label-value.ts';
import { actionProblems } from './actions.ts';
import { dependencyProblems } from './dependencies.ts';
import { unreadableDurations } from './durations.ts';
import { errorBudgetProblems } from './error-budgets.ts';
import { cut } from './field-path.ts';
import type { FieldProblem } from './field-problem.ts';
import { kubeConfigProblems } from './kube-config.ts';
import { allMetricSourceProblems } from './metric-sources.ts';
import { migrationProblems } from './migrations.ts';
import { promotionProblems } from './promotion.ts';
import { readyCheckProblems } from './ready-checks.ts';
import { accountProblems } from './service-accounts.ts';
import { sourceProblems } from './sources.ts';
import { substitutionProblems } from './substitution.ts';
import { unsupportedFields } from './unsupported.ts';
import { versionProblems } from './versions.ts';
import { windowProblems } from './windows.ts';

/**
 * What is wrong with a spec beyond what its schema says (part A 9.4). Admission and reconciler both
 * ask here.
 */
export function specProblems(spec: StageSetSpec): FieldProblem[] {
  return [
    ...repeatedStages(spec),
    ...longNames(spec),
    ...sourceProblems(spec),
    ...unreadableDurations(spec),
    ...substitutionProblems(spec),
    ...readyCheckProblems(spec),
    ...dependencyProblems(spec),
    ...kubeConfigProblems(spec),
    ...actionProblems(spec),
    ...accountProblems(spec),
    ...windowProblems(spec),
    ...promotionProblems(spec),
    ...errorBudgetProblems(spec),
    ...allMetricSourceProblems(spec),
    ...versionProblems(spec),
    ...migrationProblems(spec),
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
    const message = `is ${cut(name)}, which spec.stages[${first}] is called already; give it another name`;
    return [{ path: `spec.stages[${index}].name`, message }];
  });
}

/** A stage's name labels all that it applies, and a label holds so many characters. */
function longNames({ stages }: StageSetSpec): FieldProblem[] {
  return stages.flatMap(({ name }, index) => {
    if (name.length <= longestLabel) return [];
    const message = `has ${name.length} characters; at most ${longestLabel} fit into a label`;
    return [{ path: `spec.stages[${index}].name`, message }];
  });
}
