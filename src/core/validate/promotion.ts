import type { FastTrack, LabelSelector, Promotion, StageSetSpec } from '../../types/stages.ts';
import { parseDecimal } from '../gates/decimal.ts';
import { selectorText } from '../objects/label-selector.ts';
import { decimalProblems } from './decimals.ts';
import { isPositive } from './durations.ts';
import { cut } from './field-path.ts';
import type { FieldProblem } from './field-problem.ts';

/** What is wrong with the promotion gates of the stages beyond what their schema says (part B 3.1). */
export function promotionProblems({ stages }: StageSetSpec): FieldProblem[] {
  return stages.flatMap(({ promotion }, index) =>
    promotion === undefined ? [] : problemsOf(`spec.stages[${index}].promotion`, promotion),
  );
}

function problemsOf(path: string, promotion: Promotion): FieldProblem[] {
  const { restartGate, eventGate, analysis, fastTrack } = promotion;
  return [
    ...podCheckProblems(`${path}.restartGate.checks`, restartGate?.checks),
    ...podCheckProblems(`${path}.eventGate.checks`, eventGate?.checks),
    ...(eventGate?.checks ?? []).flatMap(({ reasons }, index) =>
      reasonProblems(`${path}.eventGate.checks[${index}].reasons`, reasons),
    ),
    ...analysisProblems(`${path}.analysis.checks`, analysis?.checks),
    ...(fastTrack === undefined ? [] : fastTrackProblems(path, promotion, fastTrack)),
  ];
}

function podCheckProblems(
  path: string,
  checks: readonly { readonly name: string; readonly selector: LabelSelector }[] | undefined,
): FieldProblem[] {
  if (checks === undefined) return [];
  return [
    ...listProblems(path, checks),
    ...checks.flatMap(({ selector }, index) =>
      selectorProblems(`${path}[${index}].selector`, selector),
    ),
  ];
}

/** Each check is told from the others by its name, in status and messages. */
/** All that one stage asks for is found out, and kept, together. */
const mostChecks = 32;

function listProblems(path: string, checks: readonly { readonly name: string }[]): FieldProblem[] {
  if (checks.length === 0)
    return [{ path, message: 'is empty; list a check or leave the gate out' }];
  if (checks.length > mostChecks) {
    return [{ path, message: `has ${checks.length} checks; at most ${mostChecks} are allowed` }];
  }
  const first = new Map<string, number>();
  return checks.flatMap(({ name }, index) => {
    const at = `${path}[${index}].name`;
    if (name === '') return [{ path: at, message: 'is empty; give the check a name' }];
    const before = first.get(name);
    if (before === undefined) {
      first.set(name, index);
      return [];
    }
    const message = `is ${cut(name)}, which ${path}[${before}] is called already; give it another name`;
    return [{ path: at, message }];
  });
}

/** A selector without requirements would count the pods of everybody in the namespace. */
function selectorProblems(path: string, selector: LabelSelector): FieldProblem[] {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  if (Object.keys(matchLabels).length + matchExpressions.length === 0) {
    return [{ path, message: 'is empty; name the labels of the pods that belong to the stage' }];
  }
  try {
    selectorText(selector);
    return [];
  } catch (error) {
    return [{ path, message: error instanceof Error ? error.message : String(error) }];
  }
}

function reasonProblems(path: string, reasons: readonly string[]): FieldProblem[] {
  if (reasons.length === 0) {
    return [{ path, message: 'is empty; name the reasons that count, such as BackOff' }];
  }
  return reasons.flatMap((reason, index) =>
    reason === '' ? [{ path: `${path}[${index}]`, message: 'is empty' }] : [],
  );
}

function analysisProblems(
  path: string,
  checks: NonNullable<Promotion['analysis']>['checks'] | undefined,
): FieldProblem[] {
  if (checks === undefined) return [];
  return [
    ...listProblems(path, checks),
    ...checks.flatMap(({ threshold }, index) =>
      boundsProblems(`${path}[${index}].threshold`, threshold),
    ),
  ];
}

function boundsProblems(
  path: string,
  { min, max }: { readonly min?: string; readonly max?: string },
): FieldProblem[] {
  if (min === undefined && max === undefined) {
    return [{ path, message: 'has neither min nor max; give at least one of them' }];
  }
  const problems = [...decimalProblems(`${path}.min`, min), ...decimalProblems(`${path}.max`, max)];
  if (problems.length > 0 || min === undefined || max === undefined) return problems;
  if ((parseDecimal(min) ?? 0) <= (parseDecimal(max) ?? 0)) return [];
  return [{ path, message: 'has a min above its max, which no value can pass' }];
}

function fastTrackProblems(path: string, { soak }: Promotion, { max }: FastTrack): FieldProblem[] {
  const soaks = soak !== undefined && isPositive(soak);
  const message =
    'ends a soak early, but there is none; set soak to more than 0 or remove fastTrack';
  return [
    ...(soaks ? [] : [{ path: `${path}.fastTrack`, message }]),
    ...decimalProblems(`${path}.fastTrack.max`, max),
  ];
}
