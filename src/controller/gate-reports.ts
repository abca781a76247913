import { eventAnnotations } from '../core/event-annotations.ts';
import type { Answer, Ask } from '../core/gates/asks.ts';
import type { BudgetMemory } from '../core/gates/budget-memory.ts';
import { type BudgetNews, budgetNews, isExhausted } from '../core/gates/budget-news.ts';
import { type RunProgress, type StageStep, standing } from '../core/run.ts';
import { migrationEvents } from '../core/version/migration-events.ts';
import type { EventRecord, EventRecorder } from '../kubernetes/events.ts';
import type { ControllerMetrics } from '../types/metrics.ts';
import type { BudgetFreeze, StageSet } from '../types/stages.ts';
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

  /** What the gates of a run say by now. A correction leaves those of the run it interrupts alone. */
  moved(stageSet: StageSet, before: RunProgress | undefined, run: RunProgress): void {
    const was = standing(before);
    const is = standing(run);
    this.#promotionsMoved(stageSet, was, is);
    this.#versionMoved(stageSet, before, run);
    const { status } = stageSet;
    this.#budgetMoved(stageSet, undefined, was?.budget, is.budget, status?.budgetFreeze, is);
    for (const { name, budget } of is.stages) {
      const previous = was?.stages.find((stage) => stage.name === name)?.budget;
      const recorded = status?.stages?.find((stage) => stage.name === name)?.budgetFreeze;
      this.#budgetMoved(stageSet, name, previous, budget, recorded, is);
    }
  }

  /** How a change of the version goes. */
  #versionMoved(stageSet: StageSet, before: RunProgress | undefined, run: RunProgress): void {
    if (run.correction !== undefined) return;
    for (const event of migrationEvents(standing(before), run)) {
      const annotations = eventAnnotations(stageSet, run);
      this.#events.record({ regarding: stageSet, ...event, annotations });
    }
  }

  #promotionsMoved(stageSet: StageSet, was: RunProgress | undefined, is: RunProgress): void {
    for (const { name, step } of is.stages) {
      const known = was?.stages.find((stage) => stage.name === name)?.step;
      const promotion = promotionOf(step, is);
      if (promotion === undefined) continue;
      const isKnown = was?.startedAt === is.startedAt && known !== undefined;
      if (isKnown && promotionOf(known, is) === promotion) continue;
      this.#metrics.setStagePromotion(ownerOf(stageSet), name, promotion);
    }
  }

  /** An error budget was asked, of a stage or, without one, of the run (part B 9.1). */
  #budgetMoved(
    stageSet: StageSet,
    stage: string | undefined,
    previous: BudgetMemory | undefined,
    budget: BudgetMemory | undefined,
    recorded: BudgetFreeze | undefined,
    run: RunProgress,
  ): void {
    if (budget === undefined || budget === previous) return;
    const { freeze, held, remaining } = budget;
    // What is remembered from before a restart says nothing of the budget as it is now.
    if (held === undefined && freeze !== undefined) return;
    const owner = ownerOf(stageSet);
    if (stage === undefined && remaining !== undefined) {
      this.#metrics.setBudgetRemaining(owner, remaining);
    }
    this.#metrics.setBudgetFrozen(owner, stage, isExhausted(budget) ? 'Frozen' : 'Thawed');
    if (isToldByReady(run)) return;
    for (const news of budgetNews(previous ?? { freeze: recorded }, budget)) {
      const annotations = eventAnnotations(stageSet, run);
      this.#events.record({ regarding: stageSet, ...budgetRecord(stage, news), annotations });
    }
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

/** Undefined leaves what is told of the stage as it is: a run that only re-asserts is no news. */
function promotionOf(
  step: StageStep,
  { purpose }: RunProgress,
): 'Pending' | 'Blocked' | 'Passed' | undefined {
  if (step.kind === 'AtGates') return step.state?.phase === 'Blocked' ? 'Blocked' : 'Pending';
  return step.kind === 'Ready' || purpose === 'Rollout' ? 'Passed' : undefined;
}

/** A hold that turns Ready is told with that. */
function isToldByReady({ outcome }: RunProgress): boolean {
  return outcome?.kind === 'Held' && outcome.hold.deployed !== true;
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
