import type { Hold } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { PromotionState } from '../../types/stages.ts';
import type { Instant } from '../time.ts';
import type { Ask } from './asks.ts';
import type { GateLook, ReadTrouble } from './promotion-question.ts';

/** What the promotion gates of a stage wait for besides time and people. */
export interface GateQuestions {
  /** To be found out in the background; absent where nothing is. */
  readonly asks?: readonly Ask[];
  /** What was due and could not be judged yet; absent where nothing was. */
  readonly open?: readonly GateLook[];
  /** Set while restarts or events cannot be read; asked again at its `retryAt`. */
  readonly unreadable?: ReadTrouble;
}

/** What the gates hold back, and what they remember. */
export interface PromotionHold {
  readonly state: PromotionState;
  /** The gates that are not passed, the one that is waited for first. Never empty. */
  readonly holds: readonly Hold[];
  /** A reason of the Ready condition. */
  readonly reason: 'Soaking' | 'AwaitingPromotion' | 'PromotionBlocked' | 'RBACDenied';
  readonly message: string;
  /** When to look again; undefined while only a person, or an answer, is waited for. */
  readonly until: Instant | undefined;
  /** What the spec wants done about what blocks; only where something does. */
  readonly onFailure?: 'Hold' | 'Rollback';
}

/** How a stage came past its gates. */
export interface Passage {
  /** Undefined where the stage has no gates. */
  readonly state: PromotionState | undefined;
  /** Set when the promote annotation did it: its token. */
  readonly handled?: string;
}
