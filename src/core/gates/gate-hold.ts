import type { Gate, Hold } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { PendingUpdate, PromotionState } from '../../types/stages.ts';
import type { Instant } from '../time.ts';

/** What keeps a run where it is, and what the status says about it meanwhile. */
export interface GateHold {
  /** The gates that are not passed, the one that is waited for first. Never empty. */
  readonly holds: readonly Hold[];
  /** A reason of the Ready condition. */
  readonly reason: string;
  readonly message: string;
  /** When to ask again; undefined where only a person or an event can release it. */
  readonly until: Instant | undefined;
  /** Nothing of what is new has begun: what was delivered before stands, and Ready stays True. */
  readonly deployed?: boolean;
  /** Nothing may be written at all, not even to correct drift (`windowScope: All`). */
  readonly frozen?: boolean;
  /** What the promotion gates remember. */
  readonly state?: PromotionState;
  /** What the spec wants done about what blocks; only where something does. */
  readonly onFailure?: 'Hold' | 'Rollback';
  /** The revisions that are kept back. */
  readonly pendingUpdate?: PendingUpdate;
}

/** A gate that an annotation took a run past although it would have held; it ends up on record. */
export interface AnnotationPassage {
  readonly gate: Gate;
  readonly stage: string;
  /** Name of the annotation. */
  readonly annotation: string;
}
