import type { StageSetSpec } from '../../types/stages.ts';
import { parseDuration } from '../duration.ts';
import { locatedActions } from './actions.ts';
import type { FieldProblem } from './field-problem.ts';

/** Durations of the right form can still be longer than Go can count. */
export function unreadableDurations(spec: StageSetSpec): FieldProblem[] {
  return durationsOf(spec).flatMap(([path, text]) => {
    try {
      parseDuration(text);
      return [];
    } catch (error) {
      return [{ path, message: error instanceof Error ? error.message : String(error) }];
    }
  });
}

/**
 * Durations below zero. The controller takes them for absent (part A 2.8), so a StageSet that is
 * stored works on; a new one is likelier to mean something else.
 */
export function negativeDurations(spec: StageSetSpec): FieldProblem[] {
  const message = 'must not be negative; leave it out for the default';
  return durationsOf(spec).flatMap(([path, text]) =>
    /^-.*[1-9]/.test(text) ? [{ path, message }] : [],
  );
}

/** Whether a duration is above zero; one that cannot be read is told of elsewhere. */
export function isPositive(text: string): boolean {
  try {
    return parseDuration(text) > 0;
  } catch {
    return true;
  }
}

/** Path and text of each duration that is set. */
function durationsOf(spec: StageSetSpec): [path: string, text: string][] {
  const fields = new Map<string, string | undefined>([
    ['spec.interval', spec.interval],
    ['spec.retryInterval', spec.retryInterval],
    ['spec.driftDetectionInterval', spec.driftDetectionInterval],
    ['spec.timeout', spec.timeout],
    ['spec.errorBudget.interval', spec.errorBudget?.interval],
  ]);
  for (const [index, { timeout, readyChecks, errorBudget, promotion }] of spec.stages.entries()) {
    fields.set(`spec.stages[${index}].timeout`, timeout);
    fields.set(`spec.stages[${index}].readyChecks.timeout`, readyChecks?.timeout);
    fields.set(`spec.stages[${index}].errorBudget.interval`, errorBudget?.interval);
    const gates = `spec.stages[${index}].promotion`;
    fields.set(`${gates}.soak`, promotion?.soak);
    fields.set(`${gates}.analysis.interval`, promotion?.analysis?.interval);
    fields.set(`${gates}.fastTrack.after`, promotion?.fastTrack?.after);
  }
  for (const { at, action } of locatedActions(spec)) {
    fields.set(`${at}.timeout`, action.timeout);
    fields.set(`${at}.wait.duration`, action.wait?.duration);
    fields.set(`${at}.wait.timeout`, action.wait?.timeout);
  }
  return [...fields].flatMap(([path, text]): [string, string][] =>
    text === undefined ? [] : [[path, text]],
  );
}
