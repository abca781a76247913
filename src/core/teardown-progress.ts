import type { InventoryEntry } from '../types/stages.ts';
import type { Wait } from './run.ts';
import type { PermanentCause, TeardownTrouble } from './teardown-trouble.ts';

/** Deletion of a StageSet: its stages go one by one, last one first (part A 2.10). */
export interface TeardownProgress {
  /** Whether it is known what there is to delete. */
  readonly loaded: boolean;
  /** In the order of deletion. */
  readonly stages: readonly TeardownStage[];
  /** What kept the records from being read. */
  readonly trouble: TeardownTrouble | undefined;
}

export interface TeardownStage {
  readonly stage: string;
  readonly entries: readonly InventoryEntry[];
  /** The failures since something last worked; each stage has its own. */
  readonly trouble?: TeardownTrouble;
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
