import type { Instant } from '../time.ts';

/** An object that somebody else changed or deleted since it was applied. */
export interface DriftedObject {
  /** The stage that applied it. */
  readonly stage: string;
  /** As `identityOf` has it. */
  readonly id: string;
}

/** What watches tell of a StageSet's objects. */
export interface DriftSeen {
  /** To be corrected now. */
  readonly due: readonly DriftedObject[];
  /** When one that is contested may be corrected; undefined when there is none. */
  readonly nextAt: Instant | undefined;
}

/** Nothing drifted, or nobody watches. */
export const noDrift: DriftSeen = { due: [], nextAt: undefined };
