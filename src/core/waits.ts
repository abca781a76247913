import { formatDuration } from './duration.ts';
import type { AwaitedHealth } from './health/awaited.ts';
import { type ExpressionVerdict, reportsOf } from './health/expressions.ts';
import { describeHealth } from './health/summary.ts';
import { judgeRecreating } from './recreation.ts';
import {
  type ExpressionWait,
  type RunProgress,
  type StageProgress,
  type StageStep,
  type Wait,
  withStep,
} from './run.ts';
import { describeVerifyBound, nextLook, onTimeoutOf } from './schedule.ts';
import type { Snapshot } from './snapshot.ts';
import { after, between, type Duration, earlier, type Instant, minutes } from './time.ts';

/**
 * The run with everything that was waited for judged by what was last seen: a group that is
 * established lets the next one be applied, a stage whose objects are all current and whose
 * expressions are satisfied is verified, a failed object fails its stage at once, and a wait that ran
 * out holds or fails (part A 6.5).
 */
export function settleWaits(run: RunProgress, { now }: Snapshot): RunProgress {
  const index = run.stages.findIndex(({ step }) => step.kind !== 'Ready');
  const stage = run.stages[index];
  if (stage === undefined) return run;
  switch (stage.step.kind) {
    case 'Pending':
    case 'Applying':
    case 'Acting':
    case 'Verified':
    case 'AtGates':
    case 'Ready':
    case 'Failed':
      return run;
    case 'Recreating':
      return withStep(run, index, judgeRecreating(stage.step, now));
    case 'Establishing':
      if (isStale(stage.step, now)) return run;
      return withStep(run, index, judgeEstablishing(stage.step, now));
    case 'Verifying': {
      const { step } = stage;
      if (isStale(step, now)) return run;
      if (!ranOut(step, now) || isDecided(step)) return withStep(run, index, judgeVerifying(step));
      const failure = failureByTimeout(run, stage, step);
      if (failure !== undefined) return withStep(run, index, failure);
      return { ...run, outcome: progressing(run, stage, step, now) };
    }
  }
}

function judgeEstablishing(
  step: Extract<StageStep, { kind: 'Establishing' }>,
  now: Instant,
): StageStep {
  const { group, groups } = step;
  if (allCurrent(step)) return { kind: 'Applying', group, groups, health: step.health };
  if (!anyFailed(step) && !ranOut(step, now)) return step;
  const bound = anyFailed(step) ? '' : ` within ${formatDuration(step.bound)}`;
  const message = `not established${bound}: ${describeHealth(step.health)}`;
  return failedStep('apply', message);
}

function judgeVerifying(step: Extract<StageStep, { kind: 'Verifying' }>): StageStep {
  if (anyFailed(step)) return failedStep('verify', describeWait(step));
  return isFulfilled(step) ? { kind: 'Verified' } : step;
}

/**
 * The failure that the end of the time means, if it means one (part A 6.5): always with `Rollback`;
 * with `Hold` only where all objects are current, and of the expressions that are not satisfied none
 * says that its object is in progress.
 */
function failureByTimeout(
  run: RunProgress,
  { name }: StageProgress,
  wait: Wait,
): StageStep | undefined {
  const bound = describeVerifyBound(run.spec, name);
  const what = describeWait(wait);
  if (onTimeoutOf(run.spec, name) === 'Rollback') {
    return failedStep('verify', `not ready within ${bound}, and onTimeout is Rollback: ${what}`);
  }
  const verdicts = askedVerdicts(wait);
  if (verdicts === undefined || verdicts.some(({ verdict }) => verdict === 'Converging')) {
    return undefined;
  }
  return failedStep('verify', `not ready within ${bound}, and nothing is in progress: ${what}`);
}

function failedStep(operation: string, message: string): StageStep {
  return {
    kind: 'Failed',
    failure: { reason: 'StageFailed', operation, message, retry: 'Backoff' },
  };
}

function progressing(
  run: RunProgress,
  { name }: StageProgress,
  wait: Wait,
  now: Instant,
): RunProgress['outcome'] {
  const message =
    `Stage ${name} is still converging after ${describeVerifyBound(run.spec, name)}, ` +
    `nothing failed; waiting for ${describeWait(wait)}`;
  return { kind: 'Progressing', at: now, stage: name, message };
}

/** What is waited for, on one line: the objects first, and once they are current the expressions. */
export function describeWait(wait: Wait): string {
  const verdicts = askedVerdicts(wait);
  return verdicts === undefined ? describeHealth(wait.health) : describeHealth(reportsOf(verdicts));
}

/** What the expressions said at the last look, if all objects were current then. */
function askedVerdicts(wait: Wait): readonly ExpressionVerdict[] | undefined {
  return allCurrent(wait) ? wait.expressions?.verdicts : undefined;
}

/** Whether nothing is waited for any more. */
function isFulfilled(wait: Wait): boolean {
  if (!allCurrent(wait)) return false;
  if (wait.expressions === undefined) return true;
  return wait.expressions.verdicts?.every(({ verdict }) => verdict === 'Ready') === true;
}

/** Whether all objects waited for are current, so that the expressions are asked. */
export function allCurrent({ health }: Pick<Wait, 'health'>): boolean {
  return health.every(({ status }) => status === 'Current');
}

function anyFailed(wait: Wait): boolean {
  if (wait.health.some(({ status }) => status === 'Failed')) return true;
  return askedVerdicts(wait)?.some(({ verdict }) => verdict === 'Failed') === true;
}

/** Whether what was seen last says how the wait ends, whatever the time. */
function isDecided(wait: Wait): boolean {
  return isFulfilled(wait) || anyFailed(wait);
}

/** A look is overdue: what was seen last must not decide that the time is over. */
function isStale(wait: Wait, now: Instant): boolean {
  return wait.nextLook <= now && !isDecided(wait);
}

function ranOut({ since, bound }: Wait, now: Instant): boolean {
  return between(since, now) >= bound;
}

/**
 * A wait that begins. What the answers to the apply do not tell is looked at once. One look always
 * falls on the end of the bound, since what counts then is how the objects are then (part A 6.5).
 */
export function beginWait(
  now: Instant,
  bound: Duration,
  health: readonly AwaitedHealth[],
  expressions?: ExpressionWait,
): Wait {
  const unread = expressions !== undefined || health.some(({ status }) => status === 'Unknown');
  const due = unread ? now : nextLook(now, 0);
  const wait = { since: now, bound, looks: 0, nextLook: earlier(due, after(now, bound)), health };
  return expressions === undefined ? wait : { ...wait, expressions };
}

/** What one look found. */
export interface Seen {
  readonly health: readonly AwaitedHealth[];
  readonly expressions?: ExpressionWait;
  /** Whether watches tell of every change, so that looks may be rare. */
  readonly news: 'Watched' | 'Polled';
  readonly began: Instant;
  readonly ended: Instant;
}

/**
 * The wait after a look. The next one is counted from its end, or a long look would be followed by
 * another without a pause.
 */
export function afterLook<Step extends Wait>(step: Step, seen: Seen): Step {
  const { health, expressions, news, began, ended } = seen;
  const looks = step.looks + 1;
  const end = after(step.since, step.bound);
  const steady = nextLook(ended, looks, news);
  const due = began < end ? earlier(steady, end) : steady;
  const looked = { ...step, health, looks, nextLook: due, lookedAt: began };
  return expressions === undefined ? looked : { ...looked, expressions };
}

/** Minutes of the wait that went by between the look before and this one, from the first on. */
export function minutesPassed(step: Wait, now: Instant): number | undefined {
  const before = Math.floor(between(step.since, step.lookedAt ?? step.since) / minutes(1));
  const passed = Math.floor(between(step.since, now) / minutes(1));
  return passed > before ? passed : undefined;
}
