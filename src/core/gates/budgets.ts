import type { BudgetFreeze, ErrorBudget } from '../../types/stages.ts';
import { type RunProgress, standing, withStage } from '../run.ts';
import { retryIntervalOf } from '../schedule.ts';
import { type Instant, instant, timeOf } from '../time.ts';
import { noteAnnotation } from './annotation-passage.ts';
import { answerSince } from './asks.ts';
import type { BudgetMemory } from './budget-memory.ts';
import { remembered } from './budget-news.ts';
import type { EntryGate, EntryQuestion, EntryVerdict } from './entry-gate.ts';
import { budgetIntervalOf, decideErrorBudget } from './error-budget.ts';
import { heldSince } from './held-since.ts';
import { pendingRevisions } from './pending-revisions.ts';
import { withOverride } from './run-overrides.ts';

/** The budget of the whole run, asked before a rollout begins and not within it (part B 4.2). */
export const runBudget: EntryGate = (question) => {
  const { run, index, novelty } = question;
  const { errorBudget } = run.spec;
  const { budgetFreeze } = question.snapshot.stageSet.status ?? {};
  const keep: Keep = (next, budget) => ({ ...next, budget });
  if (errorBudget === undefined) return withoutBudget(budgetFreeze, run, keep);
  if (index > 0 || novelty.begun) return { kind: 'Open' };
  const memory = run.budget ?? takenOver(runBefore(question)?.budget, budgetFreeze, question);
  if (!novelty.revisions) return { kind: 'Open', run: keep(run, { freeze: undefined }) };
  return asked(question, errorBudget, undefined, memory, keep);
};

/** The budget of a stage that is to get another revision (part B 4.3). */
export const stageBudget: EntryGate = (question) => {
  const { run, index, novelty, snapshot, stage } = question;
  const errorBudget = run.spec.stages[index]?.errorBudget;
  const recorded = snapshot.stageSet.status?.stages?.find(({ name }) => name === stage);
  const before = runBefore(question)?.stages.find(({ name }) => name === stage);
  const memory =
    run.stages[index]?.budget ?? takenOver(before?.budget, recorded?.budgetFreeze, question);
  const keep: Keep = (next, budget) => withStage(next, index, (each) => ({ ...each, budget }));
  if (errorBudget === undefined) return withoutBudget(recorded?.budgetFreeze, run, keep);
  if (novelty.stages[index] !== true) {
    return { kind: 'Open', run: keep(run, { freeze: undefined }) };
  }
  return asked(question, errorBudget, stage, memory, keep);
};

/** A freeze ends with the budget in the spec. */
function withoutBudget(
  recorded: BudgetFreeze | undefined,
  run: RunProgress,
  keep: Keep,
): EntryVerdict {
  if (recorded === undefined) return { kind: 'Open' };
  return { kind: 'Open', run: keep(run, { freeze: undefined }) };
}

/** An outage or a freeze outlasts the run that found it. */
function runBefore({ snapshot: { run } }: EntryQuestion): RunProgress | undefined {
  return standing(run);
}

/**
 * What is remembered when a run comes to a budget. Other revisions than those before are judged by what
 * remains now: an answer that those got may be as old as the interval, and of before they were there.
 */
function takenOver(
  before: BudgetMemory | undefined,
  freeze: BudgetFreeze | undefined,
  question: EntryQuestion,
): BudgetMemory {
  const { run, index, snapshot } = question;
  if (before !== undefined && runBefore(question)?.id === run.id) return before;
  return {
    freeze,
    ...before,
    // The budgets of the run and of its first stage may be one, and are asked once then.
    judgesSince: index === 0 ? run.startedAt : snapshot.now,
  };
}

type Keep = (run: RunProgress, budget: BudgetMemory) => RunProgress;

function asked(
  question: EntryQuestion,
  budget: ErrorBudget,
  stage: string | undefined,
  known: BudgetMemory,
  keep: Keep,
): EntryVerdict {
  const memory = notAhead(known, question.snapshot.now);
  const { run, index, snapshot, novelty, passed } = question;
  const { stageSet, settings, now, answers } = snapshot;
  const next = withOverride('Budget', run, stageSet, novelty);
  const overridden = next.overrides?.Budget?.effective === true;
  if (overridden || passed.has('ErrorBudget')) {
    const open = keep(next, { freeze: undefined });
    const wasFrozen = memory.freeze !== undefined && memory.freeze.dryRun !== true;
    const wasHeld = wasFrozen || sinceWhen(question) !== undefined;
    if (!overridden || !wasHeld) return { kind: 'Open', run: open };
    return { kind: 'Open', run: noteAnnotation(open, index, 'ErrorBudget', 'Budget') };
  }
  const verdict = decideErrorBudget({
    budget,
    answer: answerSince(
      answers,
      { kind: 'Metric', source: budget.source },
      memory.judgesSince ?? instant(0),
    ),
    freeze: memory.freeze,
    ...(stage === undefined ? {} : { stage }),
    stageSet,
    overridden,
    interval: budgetIntervalOf(budget, retryIntervalOf(run.spec, settings)),
    now,
    since: sinceWhen(question),
  });
  if (verdict.kind === 'Ask') {
    return { kind: 'Ask', asks: [verdict.ask], run: keep(next, memory) };
  }
  const kept = keep(next, { ...since(memory), ...remembered(verdict) });
  if (verdict.kind === 'Open') return { kind: 'Open', run: kept };
  const { hold, reason, message, until } = verdict;
  return {
    kind: 'Held',
    run: kept,
    hold: {
      holds: [hold],
      reason,
      message,
      until,
      deployed: novelty.deployed,
      pendingUpdate: {
        revisions: pendingRevisions(run),
        ...(hold.since === undefined ? {} : { since: hold.since }),
      },
    },
  };
}

/** After a clock was set back, no answer would be new enough. */
function notAhead(memory: BudgetMemory, now: Instant): BudgetMemory {
  const { judgesSince } = memory;
  return judgesSince === undefined || judgesSince <= now ? memory : { ...memory, judgesSince: now };
}

function since({ judgesSince }: BudgetMemory): Pick<BudgetMemory, 'judgesSince'> {
  return judgesSince === undefined ? {} : { judgesSince };
}

/** Since when the budget holds this run; undefined where it does not. */
function sinceWhen(question: EntryQuestion): Instant | undefined {
  return runBefore(question) === undefined
    ? recordedSince(question)
    : heldSince(question, 'ErrorBudget');
}

/** After a restart the status knows, where it is about the same revisions. */
function recordedSince({ run, snapshot }: EntryQuestion): Instant | undefined {
  const { pendingUpdate } = snapshot.stageSet.status ?? {};
  const wanted = Object.entries(pendingRevisions(run));
  const isSame = wanted.every(
    ([source, revision]) => pendingUpdate?.revisions?.[source] === revision,
  );
  return isSame ? timeOf(pendingUpdate?.since) : undefined;
}
