import type { InventoryEntry } from '../types/stages.ts';
import type { Failure, Wait } from './run.ts';
import type { Instant } from './time.ts';

/** Deletion of a StageSet: its stages go one by one, last one first (part A 2.10). */
export interface TeardownProgress {
  /** Whether it is known what there is to delete. */
  readonly loaded: boolean;
  /** In the order of deletion. */
  readonly stages: readonly TeardownStage[];
  /** Failed attempts in a row, and the last of them. */
  readonly failures: number;
  readonly failure:
    | (Failure & { readonly at: Instant; readonly permanent?: PermanentCause })
    | undefined;
}

/** Why waiting cannot help: the API refuses for good, or the identity is gone. */
export type PermanentCause = 'permanent' | 'unauthorized';

export interface TeardownStage {
  readonly stage: string;
  readonly entries: readonly InventoryEntry[];
  readonly step:
    | { readonly kind: 'Pending' }
    /** Deleted, but finalizers may still hold some of it. */
    | ({ readonly kind: 'Deleting' } & Omit<Wait, 'bound' | 'health'> & {
          readonly remaining: readonly InventoryEntry[];
        })
    | { readonly kind: 'Gone' };
}

export type TeardownEffect =
  | { readonly kind: 'LoadTeardown' }
  | { readonly kind: 'DeleteStage'; readonly stage: number }
  | { readonly kind: 'LookForGone'; readonly stage: number }
  | { readonly kind: 'ReleaseFinalizer'; readonly forced?: ForcedTeardown };

/** Why the finalizer is dropped although objects may remain; a label of the force-drop counter. */
export interface ForcedTeardown {
  readonly cause: 'timed_out' | PermanentCause;
  readonly message: string;
}
