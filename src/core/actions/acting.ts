import type { Failure } from '../failure.ts';
import type { Instant } from '../time.ts';
import type { ActionType, Hook } from './action.ts';
import type { Awaited, MadeObject } from './attempt.ts';

/** The action that a stage is at. */
export interface Acting {
  readonly hook: Hook;
  readonly action: string;
  /** From 1; the one that is under way or due. */
  readonly attempt: number;
  /** When the first attempt began, also by a process before this one: its time counts from here. */
  readonly startedAt: Instant;
  readonly phase: ActionPhase;
  /** What the attempt before this one failed of. */
  readonly trouble?: string;
  /** What the stage has failed of, when the action is of `onFailure`. */
  readonly cause?: Failure;
}

export type ActionPhase =
  /** An attempt is to be made, or goes on while nobody waits for it. */
  | {
      readonly kind: 'Due';
      readonly at: Instant;
      /** A process before this one began it: how that stands is looked at, even past its time. */
      readonly takesUp?: boolean;
    }
  | ActionWait
  /** It is over. What is done once has to be on record before anything else begins. */
  | ActionEnd
  /** It is on record; what it made goes, and then the list goes on or, by its failure, ends. */
  | {
      readonly kind: 'CleaningUp';
      readonly made: readonly MadeObject[];
      readonly failure?: Failure;
    };

export interface ActionEnd {
  readonly kind: 'Ended';
  /** What is to go once the end is on record. */
  readonly made: readonly MadeObject[];
  readonly failure?: Failure;
  /** It may have been done all the same. */
  readonly unknown?: boolean;
}

/** A wait that holds no worker: somebody looks again at `nextLook`, or when a watch tells. */
export interface ActionWait {
  readonly kind: 'Awaiting';
  readonly awaited: Awaited;
  readonly looks: number;
  readonly nextLook: Instant;
  /** What the last look found. */
  readonly found?: string;
}

/** What a run did of an action, for its record. */
export interface ActionRecord {
  readonly hook: Hook;
  readonly name: string;
  readonly type: ActionType;
  readonly outcome: 'Succeeded' | 'Failed' | 'Skipped';
  readonly startedAt?: Instant;
  readonly finishedAt?: Instant;
  readonly message?: string;
}
