import type { Instant } from './time.ts';

/** Nothing to do now: say why, and when or on what to look again. */
export interface Rest {
  readonly kind: 'Rest';
  /** Undefined leaves the Ready condition as it is. */
  readonly ready: Verdict | undefined;
  /** Undefined waits for an event. */
  readonly wakeAt: Instant | undefined;
  /** Something is being found out of which no run knows yet; its end wakes the StageSet. */
  readonly awaitsAnswer?: boolean;
  /** Set where each look that finds the same is followed by a longer pause, in place of `wakeAt`. */
  readonly retry?: 'Backoff';
}

/** What the Ready condition should say. */
export interface Verdict {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}
