import type { Hold } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { BudgetFreeze, ErrorBudget, StageSet } from '../../types/stages.ts';
import { formatDuration } from '../duration.ts';
import { TerminalError } from '../errors.ts';
import { cadenceOf } from '../schedule.ts';
import { after, type Duration, type Instant, minutes, seconds, toRfc3339 } from '../time.ts';
import type { Answer, Ask } from './asks.ts';
import { parseDecimal } from './decimal.ts';
import { overrideNeeds } from './needs.ts';
import { budgetOverrideCommand } from './override.ts';

/** What is known when an error budget is asked for revisions that are new (part B 4). */
export interface ErrorBudgetQuestion {
  readonly budget: ErrorBudget;
  /** The newest answer to the ask for the budget's source; one that is too old counts as none. */
  readonly answer: Answer | undefined;
  /** What the status remembers, whether it is enforced or not. */
  readonly freeze: BudgetFreeze | undefined;
  /** The stage whose own budget it is; undefined for that of the whole run. */
  readonly stage?: string;
  readonly stageSet: StageSet;
  /** Whether a person lets these revisions past all budgets (part B 4.4). */
  readonly overridden: boolean;
  /** How long an answer counts. */
  readonly interval: Duration;
  readonly now: Instant;
  /** Since when the budget holds; undefined where it did not until now. */
  readonly since: Instant | undefined;
}

export type ErrorBudgetVerdict =
  /** The source is to be read, at once. */
  | { readonly kind: 'Ask'; readonly ask: Ask }
  | {
      readonly kind: 'Open';
      /** To be kept in the status: a freeze that holds nothing, or the memory of one. */
      readonly freeze: BudgetFreeze | undefined;
      /** Why the source could not be read. */
      readonly sourceError?: string;
      readonly remaining?: number;
    }
  | {
      readonly kind: 'Held';
      readonly hold: Hold;
      readonly reason: 'BudgetExhausted' | 'BudgetSourceUnavailable' | 'RBACDenied';
      /** For the Ready condition, behind `Deployed; ` where something is. */
      readonly message: string;
      readonly freeze: BudgetFreeze | undefined;
      /** When the source is to be read again. */
      readonly until: Instant;
      readonly sourceError?: string;
      readonly remaining?: number;
    };

/** A denied read is repeated after this long, whatever the interval (part B 10). */
const pauseAfterDenial = minutes(1);

/** An answer may come in a moment after the clock was read. */
const leeway = seconds(1);

/**
 * Whether new revisions may be released with what remains of their error budget (part B 4.1). It
 * freezes below one threshold and thaws at another, higher one; what cannot be read leaves that
 * memory as it is. Asked only where a revision is new: nothing else is held (part B 4.2, 4.3).
 *
 * @throws TerminalError with reason `InvalidSpec` for thresholds that admission refuses.
 */
export function decideErrorBudget(question: ErrorBudgetQuestion): ErrorBudgetVerdict {
  const { budget, answer, overridden, now } = question;
  if (overridden) return { kind: 'Open', freeze: undefined };
  if (answer === undefined || answer.at > after(now, leeway)) return asking(budget);
  const until = goodUntil(answer, question);
  if (until <= now) return asking(budget);
  return answer.kind === 'Value'
    ? judged(answer.value, until, question)
    : unreadable(answer, until, question);
}

/** How long an answer counts: the budget's own interval, else that of retries (part B 4.1). */
export function budgetIntervalOf({ interval }: ErrorBudget, retryInterval: Duration): Duration {
  return cadenceOf(interval) ?? retryInterval;
}

function asking({ source }: ErrorBudget): ErrorBudgetVerdict {
  return { kind: 'Ask', ask: { kind: 'Metric', source } };
}

function goodUntil({ kind, at }: Answer, question: ErrorBudgetQuestion): Instant {
  return after(at, pauseAfter(kind === 'Denied', question));
}

function pauseAfter(denied: boolean, { interval }: ErrorBudgetQuestion): Duration {
  return denied && pauseAfterDenial < interval ? pauseAfterDenial : interval;
}

function judged(
  remaining: number,
  until: Instant,
  question: ErrorBudgetQuestion,
): ErrorBudgetVerdict {
  const { budget, freeze: before, now } = question;
  const thaws = threshold(budget.resumeThreshold ?? budget.freezeThreshold);
  const isFrozen =
    remaining < threshold(budget.freezeThreshold) || (before !== undefined && remaining < thaws);
  if (!isFrozen) return { kind: 'Open', freeze: undefined, remaining };
  const freeze: BudgetFreeze = {
    remaining: String(remaining),
    freezeThreshold: budget.freezeThreshold,
    resumeThreshold: budget.resumeThreshold ?? budget.freezeThreshold,
    since: before?.since ?? toRfc3339(now),
    ...(budget.dryRun === true ? { dryRun: true } : {}),
  };
  if (budget.dryRun === true) return { kind: 'Open', freeze, remaining };
  const why = `is exhausted: ${remaining} remains, less than ${wanted(remaining, budget)}`;
  const reason = 'BudgetExhausted';
  return { ...held(reason, why, until, question), freeze, remaining };
}

/** The threshold that decided: the lower one may be passed again while the higher one is not. */
function wanted(remaining: number, budget: ErrorBudget): string {
  const { freezeThreshold, resumeThreshold = freezeThreshold } = budget;
  return remaining < threshold(freezeThreshold)
    ? `freezeThreshold ${freezeThreshold}`
    : `resumeThreshold ${resumeThreshold}`;
}

function unreadable(
  { kind, message }: Exclude<Answer, { kind: 'Value' }>,
  until: Instant,
  question: ErrorBudgetQuestion,
): ErrorBudgetVerdict {
  const { budget, freeze } = question;
  if (budget.dryRun === true || budget.onSourceError !== 'Hold') {
    return { kind: 'Open', freeze, sourceError: message };
  }
  const reason = kind === 'Denied' ? 'RBACDenied' : 'BudgetSourceUnavailable';
  const why = `cannot be read, and onSourceError is Hold: ${message}`;
  return { ...held(reason, why, until, question), freeze, sourceError: message };
}

type Held = Omit<Extract<ErrorBudgetVerdict, { kind: 'Held' }>, 'freeze'>;

function held(
  reason: Held['reason'],
  why: string,
  until: Instant,
  question: ErrorBudgetQuestion,
): Held {
  const { stage, stageSet } = question;
  const since = heldSince(question);
  const isDenied = reason === 'RBACDenied';
  const which = stage === undefined ? 'error budget' : `error budget of stage ${stage}`;
  const release = releaseOf(reason, question);
  const command = budgetOverrideCommand(stageSet);
  return {
    kind: 'Held',
    reason,
    hold: {
      gate: 'ErrorBudget',
      ...(stage === undefined ? {} : { stage }),
      reason: `The ${which} ${why}; ${release}`,
      since,
      // No time is promised: at the next look the budget may be as low as now.
      releasedBy: isDenied ? 'Repair' : 'Metric',
      needs: overrideNeeds,
      command,
    },
    message:
      `new revisions are held since ${since}: the ${which} ${why}; ${release}, and is asked for ` +
      `every ${formatDuration(pauseAfter(isDenied, question))}; to pass it now: ${command}, or ` +
      'stagesets/advance with gate ErrorBudget and override',
    until,
  };
}

function releaseOf(reason: Held['reason'], { budget, freeze }: ErrorBudgetQuestion): string {
  const { freezeThreshold, resumeThreshold = freezeThreshold } = budget;
  switch (reason) {
    case 'BudgetExhausted':
      return `it releases them at ${resumeThreshold} or more`;
    case 'BudgetSourceUnavailable': {
      const level = freeze === undefined ? freezeThreshold : resumeThreshold;
      return `it releases them once it can be read and is ${level} or more`;
    }
    case 'RBACDenied':
      return 'it can be read once the account may read the Secret';
  }
}

/** A freeze that was only recorded held nothing. */
function heldSince({ since, freeze, now }: ErrorBudgetQuestion): string {
  if (since !== undefined) return toRfc3339(since);
  return (freeze?.dryRun === true ? undefined : freeze?.since) ?? toRfc3339(now);
}

function threshold(text: string): number {
  const value = parseDecimal(text);
  if (value !== undefined) return value;
  throw new TerminalError('a threshold of an error budget is no decimal number; correct the spec', {
    reason: 'InvalidSpec',
  });
}
