import type { RunProgress } from '../run.ts';
import type { Snapshot } from '../snapshot.ts';
import type { VersionAsk } from '../version/version-asks.ts';
import type { Ask } from './asks.ts';
import type { GateHold } from './gate-hold.ts';
import type { Novelty } from './novelty.ts';

/** What is known when a run is about to enter a stage. */
export interface EntryQuestion {
  readonly run: RunProgress;
  /** The stage that it would enter. */
  readonly index: number;
  readonly stage: string;
  readonly snapshot: Snapshot;
  readonly novelty: Novelty;
  /** Gates that somebody took this run past by hand. */
  readonly passed: ReadonlySet<string>;
}

export type EntryVerdict =
  /** The run may go on; with what the gate remembers in it. */
  | { readonly kind: 'Open'; readonly run?: RunProgress }
  | { readonly kind: 'Held'; readonly hold: GateHold; readonly run?: RunProgress }
  /** Something must be found out first. */
  | {
      readonly kind: 'Ask';
      readonly asks: readonly (Ask | VersionAsk)[];
      readonly run?: RunProgress;
    };

/** A gate before a stage. */
export type EntryGate = (question: EntryQuestion) => EntryVerdict;
