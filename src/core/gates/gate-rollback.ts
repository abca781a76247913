import type { Promotion, PromotionState } from '../../types/stages.ts';
import { freshToken, type TokenQuestion } from './promote-annotation.ts';

/** A stage whose gate reverted it, and what may change that. */
export interface ParkedQuestion extends TokenQuestion {
  readonly promotion: Promotion | undefined;
  /** Of the stage's status, whatever revision is applied. */
  readonly state: PromotionState | undefined;
}

/**
 * Whether a stage stays at the revision that its gate reverted it to (part B 3.6): `revision`, which
 * is wanted, is the one that was reverted, nobody has promoted it since, and the spec still has a
 * gate that reverts. Without that, each run would apply and revert it again.
 */
export function isParked(question: ParkedQuestion): boolean {
  const { state, promotion, revision } = question;
  return (
    state?.phase === 'Blocked' &&
    state.abortedRevision === revision &&
    revertsOnFailure(promotion) &&
    freshToken(question) === undefined
  );
}

/** Whether some gate asks for a rollback; an analysis that only records never does. */
export function revertsOnFailure(promotion: Promotion | undefined): boolean {
  const { restartGate, eventGate, analysis } = promotion ?? {};
  const pods = [restartGate, eventGate].some(
    (gate) =>
      gate?.checks.some(({ onFailure }) => (onFailure ?? gate.onFailure) === 'Rollback') === true,
  );
  return pods || (analysis?.onFailure === 'Rollback' && analysis.dryRun !== true);
}
