import type { Hold } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { Promotion, PromotionState } from '../../types/stages.ts';
import { positiveDuration } from '../duration.ts';
import { lookAtAnalysis } from './analysis.ts';
import type { Ask } from './asks.ts';
import type { Passage, PromotionHold } from './at-gates.ts';
import { lookAtFastTrack } from './fast-track.ts';
import { distinct, isOpen, type Refusal } from './gate-look.ts';
import { lookAtPods } from './look-at-pods.ts';
import { freshToken } from './promote-annotation.ts';
import { deniedHold, holdOf } from './promotion-holds.ts';
import { type GateMemory, promotedState, readMemory } from './promotion-memory.ts';
import type { GateLook, PromotionQuestion, ReadTrouble } from './promotion-question.ts';
import { type Standing, standingOf } from './promotion-standing.ts';
import { forgiven } from './restart-gate.ts';
import { withSoak } from './soak.ts';

export type PromotionVerdict =
  | { readonly kind: 'Promoted'; readonly passage: Passage }
  | { readonly kind: 'Held'; readonly hold: PromotionHold; readonly open: readonly GateLook[] }
  /** To be found out in the background; then the same is to be decided again. */
  | ({ readonly kind: 'Asks'; readonly asks: readonly Ask[] } & Meanwhile)
  /**
   * Restarts or events cannot be read. Nothing that is known changes (part B 3.5); at
   * `trouble.retryAt` they are asked for again, and `asks` are still to be found out meanwhile.
   */
  | ({
      readonly kind: 'Unreadable';
      readonly message: string;
      readonly asks: readonly Ask[];
    } & Meanwhile);

/** How a stage stands that nothing has been decided about. */
interface Meanwhile {
  readonly state: PromotionState;
  /** What holds it by what is known; undefined where nothing but the answers is missing. */
  readonly hold: PromotionHold | undefined;
  /** The gates that are not passed, those included that are being asked. */
  readonly holds: readonly Hold[];
  /** To be given back with the next question. */
  readonly trouble: ReadTrouble | undefined;
  /** Likewise. */
  readonly open: readonly GateLook[];
}

/**
 * Whether a healthy stage may let the next one begin (part B 3.2): its pods neither restart nor have
 * Warning events beyond what is allowed, its metrics are good, it has soaked, and a person has
 * promoted it where the spec asks for one. What was decided for a revision stands: a stage that is
 * promoted once is not held again while its drift is corrected.
 *
 * Asked again and again, at any time, it finds out and counts no more than at intervals.
 */
export function decidePromotion(question: PromotionQuestion): PromotionVerdict {
  const { promotion, state, now } = question;
  if (!hasGates(promotion)) return { kind: 'Promoted', passage: { state: undefined } };
  if (state?.phase === 'Promoted') return { kind: 'Promoted', passage: { state } };
  const before = withSoak(readMemory(state, now), question);
  const handled = freshToken(question);
  if (handled !== undefined) return { kind: 'Promoted', passage: { ...passage(before), handled } };
  const found = lookAround(before, question);
  const { memory, asks } = found;
  // What is still open now is no longer what was.
  const after = { ...question, open: found.open };
  const standing = standingOf(memory, after);
  if (standing.phase === 'Promoted') return { kind: 'Promoted', passage: passage(memory) };
  const hold = holdBy(found, standing, after);
  if (found.isUnreadable && found.trouble !== undefined) {
    return { ...meanwhile(hold), kind: 'Unreadable', message: found.trouble.message, asks };
  }
  if (asks.length === 0) return { kind: 'Held', hold, open: found.open };
  return { ...meanwhile(hold), kind: 'Asks', asks };

  function passage({ restarts, analysis }: GateMemory): Passage {
    return { state: promotedState({ analysis }, forgiven(restarts, question), now) };
  }

  function meanwhile(known: PromotionHold): Meanwhile {
    const { state: next, holds } = known;
    const isHeld = found.refusal !== undefined || isHeldAnyway(standing);
    return {
      state: next,
      hold: isHeld ? known : undefined,
      holds,
      trouble: found.trouble,
      open: found.open,
    };
  }
}

interface Findings {
  readonly memory: GateMemory;
  readonly asks: readonly Ask[];
  readonly refusal: Refusal | undefined;
  /** As it is to be remembered: until something can be read again. */
  readonly trouble: ReadTrouble | undefined;
  readonly isUnreadable: boolean;
  readonly open: readonly GateLook[];
}

/** The soak first: where a metric ends it, all else must be known as of then. */
function lookAround(memory: GateMemory, question: PromotionQuestion): Findings {
  const fastTrack = lookAtFastTrack(memory, question);
  const pods = lookAtPods(fastTrack.memory, question);
  const analysis = lookAtAnalysis(pods.memory, question);
  return {
    memory: analysis.memory,
    asks: distinct([...fastTrack.asks, ...pods.asks, ...analysis.asks]),
    refusal: pods.refusal ?? analysis.refusal,
    trouble: pods.trouble ?? (pods.asks.length > 0 ? question.trouble : undefined),
    isUnreadable: pods.trouble !== undefined,
    open: [
      ...(isOpen(pods) ? ['Pods' as const] : []),
      ...(isOpen(analysis) ? ['Analysis' as const] : []),
    ],
  };
}

function holdBy(
  { memory, refusal }: Findings,
  standing: Standing,
  question: PromotionQuestion,
): PromotionHold {
  return refusal === undefined
    ? holdOf(standing, memory, question)
    : deniedHold(refusal, standing, memory, question);
}

/** Whether more than the answers is missing. */
function isHeldAnyway({ phase, analysis }: Standing): boolean {
  return phase !== 'Analyzing' || analysis?.kind === 'Failing';
}

function hasGates(promotion: Promotion | undefined): promotion is Promotion {
  if (promotion === undefined) return false;
  const { soak, requireManualPromotion, restartGate, eventGate, analysis } = promotion;
  return (
    positiveDuration(soak) !== undefined ||
    requireManualPromotion === true ||
    [restartGate, eventGate, analysis].some((gate) => gate !== undefined)
  );
}
