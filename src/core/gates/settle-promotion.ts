import type { StageSet } from '../../types/stages.ts';
import { type RunProgress, type StageStep, withStep } from '../run.ts';
import type { Snapshot } from '../snapshot.ts';
import { promoteRequest } from './promote-annotation.ts';
import { decidePromotion, type PromotionVerdict } from './promotion.ts';

/**
 * The run with its healthy stage asked for its gates: it is ready, so that the next one may begin, or
 * the run is held. A held run that is asked again goes on where it was held.
 */
export function settlePromotion(run: RunProgress, snapshot: Snapshot): RunProgress {
  const index = run.stages.findIndex(({ step }) => step.kind !== 'Ready');
  const step = run.stages[index]?.step;
  if (step?.kind !== 'AtGates') return run;
  // What is corrected has been promoted, or its gates are still asked by the run that it interrupts.
  if (run.correction !== undefined) return withStep(run, index, { kind: 'Ready' });
  const verdict = promotionOf(run, index, step, snapshot);
  if (verdict.kind === 'Promoted') {
    const { passage } = verdict;
    return { ...withStep(run, index, { kind: 'Ready', passage }), outcome: undefined };
  }
  const { hold } = verdict;
  const stage = run.stages[index]?.name ?? '';
  // Asked again and again, a hold that stays the same keeps its time.
  const before = run.outcome?.kind === 'Held' ? run.outcome : undefined;
  const at = before?.hold.reason === hold.reason ? before.at : snapshot.now;
  const held = withStep(run, index, { kind: 'AtGates', state: hold.state });
  return { ...held, outcome: { kind: 'Held', at, stage, hold } };
}

function promotionOf(
  run: RunProgress,
  index: number,
  step: Extract<StageStep, { kind: 'AtGates' }>,
  { stageSet, advances, now }: Snapshot,
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
    now,
  });
}

/** What the status remembers of a stage's gates; the state belongs to one applied revision. */
export function recordedGates(
  { status }: StageSet,
  stage: string,
  revision: string,
): Pick<Parameters<typeof decidePromotion>[0], 'state' | 'handled'> {
  const entry = status?.stages?.find(({ name }) => name === stage);
  const state = entry?.appliedRevision === revision ? entry.promotionState : undefined;
  return { state, handled: entry?.lastHandledPromotion };
}
