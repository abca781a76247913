import { eventAnnotations } from '../core/event-annotations.ts';
import type { Answer, Ask } from '../core/gates/asks.ts';
import type { BudgetNews } from '../core/gates/budget-news.ts';
import type { ErrorBudgetVerdict } from '../core/gates/error-budget.ts';
import type { RunProgress } from '../core/run.ts';
import type { EventRecord, EventRecorder } from '../kubernetes/events.ts';
import type { ControllerMetrics } from '../types/metrics.ts';
import type { StageSet } from '../types/stages.ts';
import { ownerOf } from './owner.ts';

/** Tells people and machines what gates found out: the part of the reporter that is about them. */
export class GateReports {
  readonly #events: EventRecorder;
  readonly #metrics: ControllerMetrics;

  constructor(events: EventRecorder, metrics: ControllerMetrics) {
    this.#events = events;
    this.#metrics = metrics;
  }

  /** Metrics that were read in vain are counted, whatever the gate (part B 4.5). */
  answered(stageSet: StageSet, ask: Ask, answer: Answer): void {
    if (ask.kind !== 'Metric' || answer.kind === 'Value') return;
    this.#metrics.metricSourceUnreadable(ownerOf(stageSet));
  }

  /** An error budget was asked, of a stage or, without one, of the run (part B 9.1). */
  budgetDecided(stageSet: StageSet, stage: string | undefined, verdict: ErrorBudgetVerdict): void {
    if (verdict.kind === 'Ask') return;
    const owner = ownerOf(stageSet);
    const { kind, remaining } = verdict;
    if (stage === undefined && remaining !== undefined) {
      this.#metrics.setBudgetRemaining(owner, remaining);
    }
    // While nobody can read it, nobody knows that it is exhausted.
    const isExhausted = kind === 'Held' && verdict.reason === 'BudgetExhausted';
    this.#metrics.setBudgetFrozen(owner, stage, isExhausted ? 'Frozen' : 'Thawed');
  }

  /** No revision is new: the error budget is not asked, and holds nothing. */
  budgetNotAsked(stageSet: StageSet, stage: string | undefined): void {
    this.#metrics.setBudgetFrozen(ownerOf(stageSet), stage, 'Thawed');
  }

  /** A freeze begins, or an outage of the source: told once (part B 4.2). */
  budgetNews(
    stageSet: StageSet,
    stage: string | undefined,
    news: BudgetNews,
    run: RunProgress | undefined,
  ): void {
    const annotations = eventAnnotations(stageSet, run);
    this.#events.record({ regarding: stageSet, ...budgetRecord(stage, news), annotations });
  }

  /** Ends what is told of gates that left the spec. */
  settled(stageSet: StageSet): void {
    const owner = ownerOf(stageSet);
    const { errorBudget, stages = [] } = stageSet.spec ?? {};
    if (errorBudget === undefined) {
      this.#metrics.setBudgetRemaining(owner, undefined);
      this.#metrics.setBudgetFrozen(owner, undefined, undefined);
    }
    for (const stage of stages) {
      if (stage.errorBudget !== undefined) continue;
      this.#metrics.setBudgetFrozen(owner, stage.name, undefined);
    }
  }
}

/** What people read of an event of an error budget (part B 9.2). */
function budgetRecord(
  stage: string | undefined,
  news: BudgetNews,
): Pick<EventRecord, 'reason' | 'type' | 'note'> {
  const which = stage === undefined ? 'The error budget' : `The error budget of stage ${stage}`;
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
