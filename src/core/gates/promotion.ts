import type { Hold } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { Advance, Promotion, PromotionState, StageSet } from '../../types/stages.ts';
import { positiveDuration } from '../duration.ts';
import { after, type Duration, type Instant, instant, toRfc3339 } from '../time.ts';
import { type PromoteRequest, promoteCommand } from './promote-annotation.ts';

/** What is known when the promotion gates of a stage are asked (part B 3.2). */
export interface PromotionQuestion {
  readonly stageSet: StageSet;
  readonly stage: string;
  readonly promotion: Promotion | undefined;
  /** The revision that is applied and healthy. */
  readonly revision: string;
  /** Memory of the gates for this revision; undefined when they are asked for the first time. */
  readonly state: PromotionState | undefined;
  /** The promote token that was handled last, whatever revision it was for. */
  readonly handled: string | undefined;
  /** What the annotation asks for, for whichever stage. */
  readonly request: PromoteRequest | undefined;
  /** The gates of this run that somebody passed by hand. */
  readonly advances: readonly Advance[];
  readonly now: Instant;
}

/** How a stage came past its gates. */
export interface Passage {
  /** Undefined where the stage has no gates. */
  readonly state: PromotionState | undefined;
  /** Set when the promote annotation did it: its token. */
  readonly handled?: string;
}

/** What the gates hold back, and what they remember. */
export interface PromotionHold {
  readonly state: PromotionState;
  /** The gates that are not passed, the one that is waited for first. Never empty. */
  readonly holds: readonly Hold[];
  /** A reason of the Ready condition. */
  readonly reason: 'Soaking' | 'AwaitingPromotion';
  readonly message: string;
  /** When time alone may release it. */
  readonly until: Instant | undefined;
}

export type PromotionVerdict =
  | { readonly kind: 'Promoted'; readonly passage: Passage }
  | { readonly kind: 'Held'; readonly hold: PromotionHold };

/**
 * Whether a healthy stage may let the next one begin: it has soaked, and a person has promoted it
 * where the spec asks for one (part B 3.2). What was decided for a revision stands: a stage that is
 * promoted once is not held again while its drift is corrected.
 */
export function decidePromotion(question: PromotionQuestion): PromotionVerdict {
  const { promotion, state, request, handled, now } = question;
  const soak = positiveDuration(promotion?.soak);
  const manual = promotion?.requireManualPromotion === true;
  if (soak === undefined && !manual) return promoted({ state: undefined });
  if (state?.phase === 'Promoted') return promoted({ state });
  if (isFresh(request, question) && request.token !== handled) {
    return promoted({ state: promotedState(now), handled: request.token });
  }
  const until = soak === undefined ? undefined : soakEnd(soak, question);
  const awaitsPerson = manual && !isAdvanced('ManualPromotion', question);
  if (until !== undefined && now < until && !isAdvanced('Soak', question)) {
    return soaking(until, awaitsPerson, question);
  }
  return awaitsPerson ? awaitingPerson(question) : promoted({ state: promotedState(now) });
}

function isFresh(
  request: PromoteRequest | undefined,
  { stage, revision }: PromotionQuestion,
): request is PromoteRequest {
  if (request?.stage !== stage) return false;
  return request.revision === undefined || request.revision === revision;
}

function isAdvanced(gate: Hold['gate'], { advances, stage }: PromotionQuestion): boolean {
  return advances.some((advance) => advance.stage === stage && advance.gate === gate);
}

/** Fixed when the soak begins: neither an edit of the spec nor a restart moves it (part B 3.2). */
function soakEnd(soak: Duration, { state, now }: PromotionQuestion): Instant | undefined {
  if (state?.phase === 'AwaitingManual') return undefined;
  const recorded = Date.parse(state?.soakUntil ?? '');
  return Number.isNaN(recorded) ? upToSecond(after(now, soak)) : instant(recorded);
}

function promoted(passage: Passage): PromotionVerdict {
  return { kind: 'Promoted', passage };
}

function promotedState(now: Instant): PromotionState {
  return { phase: 'Promoted', since: toRfc3339(now) };
}

function soaking(
  until: Instant,
  awaitsPerson: boolean,
  question: PromotionQuestion,
): PromotionVerdict {
  const { stage, state, now } = question;
  const since = (state?.phase === 'Soaking' ? state.since : undefined) ?? toRfc3339(now);
  const end = toRfc3339(until);
  const hold: Hold = {
    gate: 'Soak',
    stage,
    reason: `Stage ${stage} is healthy and soaks until ${end}`,
    since,
    until: end,
    releasedBy: 'Time',
    needs: overrideNeeds,
    command: promoteCommand(question.stageSet, stage),
  };
  const person = awaitsPerson ? [personHold(undefined, question)] : [];
  const then = awaitsPerson ? ', and waits for promotion by hand then' : '';
  const command = promoteCommand(question.stageSet, stage);
  return {
    kind: 'Held',
    hold: {
      state: { phase: 'Soaking', since, soakUntil: end },
      holds: [hold, ...person],
      reason: 'Soaking',
      message: `${hold.reason}${then}; to promote it now: ${command}`,
      until,
    },
  };
}

function awaitingPerson(question: PromotionQuestion): PromotionVerdict {
  const { state, now } = question;
  const since = (state?.phase === 'AwaitingManual' ? state.since : undefined) ?? toRfc3339(now);
  const hold = personHold(since, question);
  return {
    kind: 'Held',
    hold: {
      state: { phase: 'AwaitingManual', since },
      holds: [hold],
      reason: 'AwaitingPromotion',
      message: `${hold.reason}: ${promoteCommand(question.stageSet, question.stage)}`,
      until: undefined,
    },
  };
}

function personHold(since: string | undefined, { stageSet, stage }: PromotionQuestion): Hold {
  return {
    gate: 'ManualPromotion',
    stage,
    reason: `Stage ${stage} is healthy and waits for promotion by hand`,
    ...(since === undefined ? {} : { since }),
    releasedBy: 'Person',
    needs: advanceNeeds,
    command: promoteCommand(stageSet, stage),
  };
}

/** Whether passing the gate means to do so although its own condition has not been met. */
export function needsOverride({ releasedBy }: Pick<Hold, 'releasedBy'>): boolean {
  return releasedBy !== 'Person';
}

const advanceNeeds = 'create stagesets/advance in subresources.stages.metio.wtf';
export const overrideNeeds = 'override stagesets/advance in subresources.stages.metio.wtf';

/** Times are recorded in whole seconds; rounded up, no soak ends before its time. */
function upToSecond(at: Instant): Instant {
  return instant(Math.ceil(at / 1000) * 1000);
}
