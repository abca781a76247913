import type { StageSet } from '../../types/stages.ts';
import { type RunOutcome, type RunProgress, type StageStep, withStep } from '../run.ts';
import { retryIntervalOf } from '../schedule.ts';
import type { Snapshot } from '../snapshot.ts';
import { earlier, type Instant } from '../time.ts';
import type { Answers } from './asks.ts';
import type { PromotionHold } from './at-gates.ts';
import { promoteRequest } from './promote-annotation.ts';
import { decidePromotion, type PromotionVerdict } from './promotion.ts';
import { outlivingRevision } from './promotion-memory.ts';
import type { PromotionQuestion } from './promotion-question.ts';

/**
 * The run with its healthy stage asked for its gates: it is ready, so that the next one may begin, or
 * the run is held. A held run that is asked again goes on where it was held. What is to be found out
 * before is on the step; while nothing but that is missing, a run that was not held is not.
 */
export function settlePromotion(
  run: RunProgress,
  snapshot: Snapshot,
  answers: Answers = new Map(),
): RunProgress {
  const index = run.stages.findIndex(({ step }) => step.kind !== 'Ready');
  const step = run.stages[index]?.step;
  if (step?.kind !== 'AtGates') return run;
  // What is corrected has been promoted, or its gates are still asked by the run that it interrupts.
  if (run.correction !== undefined) return withStep(run, index, { kind: 'Ready' });
  const verdict = promotionOf(run, index, step, snapshot, answers);
  switch (verdict.kind) {
    case 'Promoted': {
      const { passage } = verdict;
      return { ...withStep(run, index, { kind: 'Ready', passage }), outcome: undefined };
    }
    case 'Held': {
      const { hold, open } = verdict;
      const held = withStep(run, index, {
        kind: 'AtGates',
        state: hold.state,
        ...(open.length === 0 ? {} : { open }),
      });
      return { ...held, outcome: outcomeOf(run, index, hold, snapshot.now) };
    }
    case 'Asks':
    case 'Unreadable':
      return asking(run, index, verdict, snapshot.now);
  }
}

function asking(
  run: RunProgress,
  index: number,
  verdict: Exclude<PromotionVerdict, { kind: 'Promoted' | 'Held' }>,
  now: Instant,
): RunProgress {
  const { asks, state, holds, trouble, open } = verdict;
  const moved = withStep(run, index, {
    kind: 'AtGates',
    state,
    ...(asks.length === 0 ? {} : { asks }),
    ...(open.length === 0 ? {} : { open }),
    ...(trouble === undefined ? {} : { unreadable: trouble }),
  });
  const retryAt = verdict.kind === 'Unreadable' ? trouble?.retryAt : undefined;
  if (verdict.hold !== undefined) {
    const hold = { ...verdict.hold, until: earlier(verdict.hold.until, retryAt) };
    return { ...moved, outcome: outcomeOf(run, index, hold, now) };
  }
  // What held it is over, and Ready says so once it is known what comes of it.
  if (run.outcome?.kind !== 'Held') return moved;
  const hold = { ...run.outcome.hold, state, holds, until: retryAt };
  return { ...moved, outcome: { ...run.outcome, hold } };
}

function outcomeOf(
  run: RunProgress,
  index: number,
  hold: PromotionHold,
  now: Instant,
): Extract<RunOutcome, { kind: 'Held' }> {
  const stage = run.stages[index]?.name ?? '';
  // Asked again and again, a hold that stays the same keeps its time.
  const before = run.outcome?.kind === 'Held' ? run.outcome : undefined;
  const at = before?.hold.reason === hold.reason ? before.at : now;
  return { kind: 'Held', at, stage, hold };
}

function promotionOf(
  run: RunProgress,
  index: number,
  step: Extract<StageStep, { kind: 'AtGates' }>,
  { stageSet, advances, settings, now }: Snapshot,
  answers: Answers,
): PromotionVerdict {
  const stage = run.stages[index]?.name ?? '';
  const revision = run.pinned[index]?.revision ?? '';
  const recorded = recordedGates(stageSet, stage, revision);
  return decidePromotion({
    stageSet,
    stage,
    promotion: run.spec.stages[index]?.promotion,
    revision,
    state: step.state ?? recorded.state,
    handled: recorded.handled,
    request: promoteRequest(stageSet),
    advances: advances.filter(({ runId }) => runId === run.id).map(({ advance }) => advance),
    answers,
    retryInterval: retryIntervalOf(run.spec, settings),
    trouble: step.unreadable,
    open: step.open ?? [],
    now,
  });
}

/** What the status remembers of a stage's gates; most of the state belongs to one applied revision. */
export function recordedGates(
  { status }: StageSet,
  stage: string,
  revision: string,
): Pick<PromotionQuestion, 'state' | 'handled'> {
  const entry = status?.stages?.find(({ name }) => name === stage);
  const state =
    entry?.appliedRevision === revision
      ? entry.promotionState
      : outlivingRevision(entry?.promotionState);
  return { state, handled: entry?.lastHandledPromotion };
}
