import type { Gate } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { Advance, Promotion, PromotionState, StageSet } from '../../types/stages.ts';
import { type Duration, type Instant, timeOf } from '../time.ts';
import type { Answers } from './asks.ts';
import type { PromoteRequest } from './promote-annotation.ts';

/** What is known when the promotion gates of a stage are asked (part B 3.2). */
export interface PromotionQuestion {
  readonly stageSet: StageSet;
  readonly stage: string;
  readonly promotion: Promotion | undefined;
  /** The revision that is applied and healthy. */
  readonly revision: string;
  /**
   * Memory of the gates for this revision; without a phase when they are asked for the first time and
   * only what outlives a revision is known.
   */
  readonly state: PromotionState | undefined;
  /** The promote token that was handled last, whatever revision it was for. */
  readonly handled: string | undefined;
  /** What the annotation asks for, for whichever stage. */
  readonly request: PromoteRequest | undefined;
  /** The gates of this run that somebody passed by hand. */
  readonly advances: readonly Advance[];
  /** What was found out of what the gates asked for. */
  readonly answers: Answers;
  /** Pause between two counts of restarts and events, and the default of `analysis.interval`. */
  readonly retryInterval: Duration;
  /** What came of asking before, where that could not be read. */
  readonly trouble: ReadTrouble | undefined;
  /** What was due when it was asked before, and could not be judged. */
  readonly open: readonly GateLook[];
  readonly now: Instant;
}

/** What is looked at together: the pods by two gates, and the metrics by one. */
export type GateLook = 'Pods' | 'Analysis';

/** Restarts or events that could not be read, again and again. */
export interface ReadTrouble {
  readonly message: string;
  /** In a row. */
  readonly failures: number;
  /** Of the newest attempt. */
  readonly at: Instant;
  /** When they are asked for again. */
  readonly retryAt: Instant;
}

/**
 * When somebody passed the gate in this run; undefined where nobody did. The clock of whoever
 * recorded it may be ahead: then it counts as passed since ever.
 */
export function passedAt(
  gate: Gate,
  { advances, stage, now }: Pick<PromotionQuestion, 'advances' | 'stage' | 'now'>,
  enteredAt: Instant,
): Instant | undefined {
  const advance = advances.find((one) => one.stage === stage && one.gate === gate);
  if (advance === undefined) return undefined;
  const at = timeOf(advance.at);
  return at === undefined || at > now || at < enteredAt ? enteredAt : at;
}

export function isPassed(
  gate: Gate,
  { advances, stage }: Pick<PromotionQuestion, 'advances' | 'stage'>,
): boolean {
  return advances.some((one) => one.stage === stage && one.gate === gate);
}
