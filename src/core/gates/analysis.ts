import type { Analysis, AnalysisCheck, PromotionState, Threshold } from '../../types/stages.ts';
import { cutMessage } from '../conditions.ts';
import type { Answer, Ask } from './asks.ts';
import { parseDecimal } from './decimal.ts';
import { type Asked, answerTo, type Look, refusalAmong, unchanged } from './gate-look.ts';
import { analysisDueAt, countsNow } from './promotion-cadence.ts';
import { type AnalysisMemory, type GateMemory, toPreciseTime } from './promotion-memory.ts';
import { isPassed, type PromotionQuestion } from './promotion-question.ts';
import { withinThreshold } from './threshold.ts';

type Evaluation = NonNullable<PromotionState['lastAnalysis']>;
type CheckResult = NonNullable<Evaluation['checks']>[number];

/** Of each check's error, in the status. */
const longestError = 512;

/** The analysis as far as it is asked; undefined where there is none, or it is passed by hand. */
export function analysisOf(question: PromotionQuestion): Analysis | undefined {
  return isPassed('Analysis', question) ? undefined : question.promotion?.analysis;
}

/**
 * Evaluates the analysis when that is due: all checks at once, with answers of the same moment. Only
 * what is an interval apart counts as failed again (part B 3.2, steps 6 and 8).
 */
export function lookAtAnalysis(memory: GateMemory, question: PromotionQuestion): Look {
  const analysis = analysisOf(question);
  const due = analysisDueAt(memory, question);
  if (analysis === undefined || due > question.now) return unchanged(memory);
  const asked = analysis.checks.map(({ source }): Asked => {
    const ask: Ask = { kind: 'Metric', source };
    return { gate: 'Analysis', ask, answer: answerTo(ask, due, question) };
  });
  const toleratesDenial = analysis.dryRun === true || analysis.onSourceError === 'Allow';
  const refusal = toleratesDenial ? undefined : refusalAmong(asked, question.now);
  const open = asked.filter(
    ({ answer }) => answer === undefined || (answer.kind === 'Denied' && !toleratesDenial),
  );
  const asks = open.map(({ ask }) => ask);
  if (refusal !== undefined) {
    return { memory, asks: refusal.until === undefined ? asks : [], refusal };
  }
  if (asks.length > 0) return { memory, asks };
  return { memory: evaluated(memory, analysis, asked, question), asks: [] };
}

function evaluated(
  memory: GateMemory,
  analysis: Analysis,
  asked: readonly Asked[],
  question: PromotionQuestion,
): GateMemory {
  const checks = analysis.checks.map((check, index) =>
    resultOf(check, asked[index]?.answer, analysis),
  );
  const passed = checks.every(({ ok }) => ok !== false);
  const { failures } = memory.analysis;
  const failedAgain = countsNow(memory, question) ? failures + 1 : failures;
  const last: Evaluation = { time: toPreciseTime(question.now), passed, checks };
  return { ...memory, analysis: { failures: passed ? 0 : failedAgain, last } };
}

/** `ok` is left out where the value is unreadable and that is allowed. */
function resultOf(
  { name, threshold }: AnalysisCheck,
  answer: Answer | undefined,
  analysis: Analysis,
): CheckResult {
  if (answer?.kind === 'Value') {
    const wrong = thresholdError(threshold);
    const ok = wrong === undefined && withinThreshold(answer.value, threshold);
    const error = wrong === undefined ? {} : { error: wrong };
    return { name, value: String(answer.value), ok, ...error };
  }
  const error = cutMessage(answer?.message ?? 'it was not read', longestError);
  return analysis.onSourceError === 'Allow' ? { name, error } : { name, ok: false, error };
}

/** A threshold that admission would have refused counts as a breach (part B 3.2). */
function thresholdError({ min, max }: Threshold): string | undefined {
  const bounds = [min, max].filter((bound) => bound !== undefined);
  if (bounds.length > 0 && bounds.every((bound) => parseDecimal(bound) !== undefined))
    return undefined;
  return 'the threshold has no decimal min or max: correct it in the spec';
}

/** Why the analysis does not let the stage pass; undefined where it does. */
export type AnalysisStanding =
  | { readonly kind: 'Blocked'; readonly failures: number; readonly limit: number }
  | { readonly kind: 'Failing' }
  /** It is still to be evaluated, or anew. */
  | { readonly kind: 'Open' };

/** What the newest evaluation means; `isDue` where there should be a newer one. */
export function analysisStanding(
  { last, failures }: AnalysisMemory,
  analysis: Analysis | undefined,
  isDue: boolean,
): AnalysisStanding | undefined {
  if (analysis === undefined) return undefined;
  if (last === undefined) return { kind: 'Open' };
  // It is waited for once, so that something is on record, and never holds.
  if (analysis.dryRun === true) return undefined;
  const limit = analysis.failureLimit ?? 0;
  if (failures > limit) return { kind: 'Blocked', failures, limit };
  if (last.passed !== true) return { kind: 'Failing' };
  return isDue ? { kind: 'Open' } : undefined;
}

/** The checks that failed last, in words. */
export function describeFailing({ last }: AnalysisMemory, analysis: Analysis | undefined): string {
  const failing = (last?.checks ?? []).filter(({ ok }) => ok === false);
  const shown = failing.slice(0, 3).map((result) => describeResult(result, analysis));
  const rest = failing.length - shown.length;
  return rest > 0 ? `${shown.join(', ')} and ${rest} more` : shown.join(', ');
}

function describeResult({ name = '', value, error }: CheckResult, analysis?: Analysis): string {
  if (value === undefined || error !== undefined) return `${name} (${error ?? 'no value'})`;
  const threshold = analysis?.checks.find((check) => check.name === name)?.threshold;
  return `${name} is ${value}${boundsOf(threshold)}`;
}

function boundsOf(threshold: Threshold | undefined): string {
  const bounds = [
    ...(threshold?.min === undefined ? [] : [`min ${threshold.min}`]),
    ...(threshold?.max === undefined ? [] : [`max ${threshold.max}`]),
  ];
  return bounds.length === 0 ? '' : ` (${bounds.join(', ')})`;
}
