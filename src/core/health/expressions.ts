import type { ObjectReference } from '../../types/kubernetes.ts';
import type { ReadyExpression } from '../../types/stages.ts';
import type { ExpressionResult } from '../cel/evaluate.ts';
import { groupOf } from '../objects/identity.ts';
import type { ReportedHealth } from './summary.ts';

/** The `readyChecks.exprs` of a stage that speak of one of its objects. */
export interface Subject {
  readonly object: ObjectReference;
  /** Positions in `readyChecks.exprs`. */
  readonly exprs: readonly number[];
}

/**
 * What one of `readyChecks.exprs` says of an object (part A 6.4): `Converging` is not ready but in
 * progress, `NotReady` is not ready and not known to get there.
 */
export interface ExpressionVerdict {
  readonly object: ObjectReference;
  readonly verdict: 'Ready' | 'Converging' | 'NotReady' | 'Failed';
  readonly message: string;
}

/** The applied objects that expressions speak of: those of the same group and kind, in any version. */
export function subjectsOf(
  exprs: readonly ReadyExpression[],
  applied: readonly ObjectReference[],
): Subject[] {
  return applied.flatMap((object) => {
    const indices = exprs.flatMap((expr, index) => (speaksOf(expr, object) ? [index] : []));
    return indices.length === 0 ? [] : [{ object, exprs: indices }];
  });
}

function speaksOf({ apiVersion, kind }: ReadyExpression, object: ObjectReference): boolean {
  return kind === object.kind && groupOf(apiVersion) === groupOf(object.apiVersion);
}

/** The results of the expressions that the check has. */
export interface ExpressionResults {
  readonly failed?: ExpressionResult;
  readonly current?: ExpressionResult;
  readonly inProgress?: ExpressionResult;
}

/** The verdict on an object that was read; `index` is the position in `readyChecks.exprs`. */
export function verdictOf(
  object: ObjectReference,
  index: number,
  { failed, current, inProgress }: ExpressionResults,
): ExpressionVerdict {
  const field = `readyChecks.exprs[${index}]`;
  if (isTrue(failed)) return { object, verdict: 'Failed', message: `${field}.failed is true` };
  if (current === undefined || isTrue(current)) {
    return { object, verdict: 'Ready', message: `${field} is satisfied` };
  }
  const why =
    current.kind === 'Error'
      ? `${field}.current gives no answer: ${current.message}`
      : `${field}.current is false`;
  return { object, verdict: isTrue(inProgress) ? 'Converging' : 'NotReady', message: why };
}

/** The verdict on an object that could not be read. A check without `current` never blocks. */
export function unreadVerdict(
  object: ObjectReference,
  index: number,
  { current = '' }: ReadyExpression,
  why: string,
): ExpressionVerdict {
  const verdict = current === '' ? 'Ready' : 'NotReady';
  return { object, verdict, message: `readyChecks.exprs[${index}] cannot be asked: ${why}` };
}

function isTrue(result: ExpressionResult | undefined): boolean {
  return result?.kind === 'Bool' && result.value;
}

const statusOf = {
  Ready: 'Current',
  Converging: 'InProgress',
  NotReady: 'Unknown',
  Failed: 'Failed',
} as const;

/** Verdicts in the terms of `describeHealth`. */
export function reportsOf(verdicts: readonly ExpressionVerdict[]): ReportedHealth[] {
  return verdicts.map(({ object, verdict, message }) => ({
    object,
    status: statusOf[verdict],
    message,
  }));
}
