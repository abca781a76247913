import { eventAnnotations } from '../core/event-annotations.ts';
import { type Answers, type Ask, askKey } from '../core/gates/asks.ts';
import type { BudgetMemory } from '../core/gates/budget-memory.ts';
import { type BudgetNews, budgetNews } from '../core/gates/budget-news.ts';
import type { RunProgress } from '../core/run.ts';
import type { EventRecord, EventRecorder } from '../kubernetes/events.ts';
import type { ControllerMetrics, StageSetName } from '../types/metrics.ts';
import type { BudgetFreeze, StageSet } from '../types/stages.ts';
import { ownerOf } from './owner.ts';

/** Stands for the budget of the whole run beside those of stages, whose names are never empty. */
const wholeRun = '';

/** Tells people and machines what gates found out: the part of the reporter that is about them. */
export class GateReports {
  readonly #events: EventRecorder;
  readonly #metrics: ControllerMetrics;
  /** StageSet -> stage -> what was told of its budget last. A new run does not begin an outage anew. */
  readonly #told = new Map<string, Map<string, BudgetMemory>>();

  constructor(events: EventRecorder, metrics: ControllerMetrics) {
    this.#events = events;
    this.#metrics = metrics;
  }

  /** Metrics that were read in vain are counted, whatever the gate (part B 4.5). */
  answered(stageSet: StageSet, asks: readonly Ask[], answers: Answers): void {
    for (const ask of asks) {
      const answer = answers.get(askKey(ask));
      if (ask.kind !== 'Metric' || answer === undefined || answer.kind === 'Value') continue;
      this.#metrics.metricSourceUnreadable(ownerOf(stageSet));
    }
  }

  /** What the error budgets of a run came to, as far as they were asked (part B 4.2, 9.1). */
  budgetsMoved(stageSet: StageSet, run: RunProgress): void {
    if (run.budget !== undefined) this.#budgetMoved(stageSet, wholeRun, run.budget, run);
    for (const { name, budget } of run.stages) {
      if (budget !== undefined) this.#budgetMoved(stageSet, name, budget, run);
    }
  }

  /** Ends what is told of budgets that left the spec. */
  settled(stageSet: StageSet): void {
    const owner = ownerOf(stageSet);
    const { errorBudget, stages = [] } = stageSet.spec ?? {};
    const kept = new Set(
      stages.filter((stage) => stage.errorBudget !== undefined).map(({ name }) => name),
    );
    if (errorBudget !== undefined) kept.add(wholeRun);
    const told = this.#told.get(keyOf(owner));
    for (const stage of [...(told?.keys() ?? [])]) {
      if (kept.has(stage)) continue;
      told?.delete(stage);
      this.#setFrozen(owner, stage, undefined);
      if (stage === wholeRun) this.#metrics.setBudgetRemaining(owner, undefined);
    }
  }

  forgotten(owner: StageSetName): void {
    this.#told.delete(keyOf(owner));
  }

  #budgetMoved(stageSet: StageSet, stage: string, budget: BudgetMemory, run: RunProgress): void {
    const owner = ownerOf(stageSet);
    const told = this.#told.get(keyOf(owner)) ?? new Map<string, BudgetMemory>();
    this.#told.set(keyOf(owner), told);
    const before = told.get(stage) ?? { freeze: recordedFreeze(stageSet, stage) };
    told.set(stage, budget);
    const { remaining, held, sourceError } = budget;
    if (stage === wholeRun && remaining !== undefined) {
      this.#metrics.setBudgetRemaining(owner, remaining);
    }
    // While nobody can read it, nobody knows that it is exhausted.
    const isExhausted = held === true && sourceError === undefined;
    this.#setFrozen(owner, stage, isExhausted ? 'Frozen' : 'Thawed');
    const annotations = eventAnnotations(stageSet, run);
    for (const news of budgetNews(before, budget)) {
      this.#events.record({ regarding: stageSet, ...budgetRecord(stage, news), annotations });
    }
  }

  #setFrozen(owner: StageSetName, stage: string, frozen: 'Frozen' | 'Thawed' | undefined): void {
    this.#metrics.setBudgetFrozen(owner, stage === wholeRun ? undefined : stage, frozen);
  }
}

/** What was told before this process began. */
function recordedFreeze({ status }: StageSet, stage: string): BudgetFreeze | undefined {
  if (stage === wholeRun) return status?.budgetFreeze;
  return status?.stages?.find(({ name }) => name === stage)?.budgetFreeze;
}

function keyOf({ namespace, name }: StageSetName): string {
  return `${namespace}/${name}`;
}

/** What people read of an event of an error budget (part B 9.2). */
function budgetRecord(
  stage: string,
  news: BudgetNews,
): Pick<EventRecord, 'reason' | 'type' | 'note'> {
  const which = stage === wholeRun ? 'The error budget' : `The error budget of stage ${stage}`;
  if (news.kind === 'Froze') {
    const { remaining = '', resumeThreshold = '', dryRun } = news.freeze;
    const what =
      dryRun === true
        ? 'with dryRun, nothing is held for it'
        : `new revisions wait until it is ${resumeThreshold} or more`;
    const note = `${which} is exhausted, ${remaining} remains: ${what}`;
    return { reason: 'BudgetExhausted', type: 'Normal', note };
  }
  const what =
    news.verdict === 'Open'
      ? 'new revisions are released without it'
      : 'new revisions wait until it can be read';
  const note = `${which} cannot be read, ${what}: ${news.sourceError}`;
  return { reason: 'BudgetSourceUnavailable', type: 'Warning', note };
}
