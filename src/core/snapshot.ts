import type { Advance, StageSet, StageSetSpec } from '../types/stages.ts';
import type { DriftSeen } from './drift/drifted.ts';
import type { Answers } from './gates/asks.ts';
import type { DependencyGraph } from './gates/dependency-graph.ts';
import type { PinnedArtifact } from './pinned-artifact.ts';
import type { RunProgress } from './run.ts';
import type { RunSettings } from './settings.ts';
import type { TeardownProgress } from './teardown-progress.ts';
import type { Instant } from './time.ts';
import type { FieldProblem } from './validate/field-problem.ts';
import type { VersionAnswers } from './version/version-asks.ts';

/**
 * Everything a decision may look at: the world at one moment. The reconciler and `/plan` both fill
 * it in from the API server and hand it to the same functions.
 */
export interface Snapshot {
  readonly now: Instant;
  readonly settings: RunSettings;
  readonly stageSet: StageSet;
  /** The stored spec; one without stages where the object has none, which `problems` then says. */
  readonly spec: StageSetSpec;
  /** What admission would refuse in the stored spec; empty for a valid one. */
  readonly problems: readonly FieldProblem[];
  /** The StageSets that `dependsOn` leads to; empty where there is none. */
  readonly dependencies: DependencyGraph;
  /** What each stage's `sourceRef` leads to, in stage order. */
  readonly sources: readonly SourceObservation[];
  /** The run under way or the one that ended last; undefined after a restart. */
  readonly run: RunProgress | undefined;
  /** Something outside the schedule asks for a re-assertion, such as a lost inventory. */
  readonly reassert: boolean;
  /** The next stage is being fetched and built; the end of that wakes the StageSet. */
  readonly building: boolean;
  /** The attempt at an action that was begun; what came of an ended one is still to be taken. */
  readonly attempt: 'None' | 'UnderWay' | 'Ended';
  /** What was found out for the gates of the run. */
  readonly answers: Answers;
  /** What was found out for the version that is wanted, and the migrations to it. */
  readonly versions: VersionAnswers;
  /** Something is being found out for them; the end of that wakes the StageSet. */
  readonly asking: boolean;
  /** Objects that somebody else changed, as watches tell. */
  readonly drift: DriftSeen;
  /** The gates that somebody passed by hand, as the newest StageRun records them. */
  readonly advances: readonly BoundAdvance[];
  readonly teardown: TeardownProgress | undefined;
}

/** An advance counts in the run that it was made for, and in no other. */
export interface BoundAdvance {
  readonly runId: string;
  readonly advance: Advance;
}

export type SourceObservation =
  | { readonly kind: 'Ready'; readonly artifact: PinnedArtifact }
  | {
      readonly kind: 'Unavailable';
      /** `SourceNotReady`, `ArtifactNotFound`, `ResolveFailed`, `InvalidSpec` or `RBACDenied`. */
      readonly reason: string;
      readonly message: string;
      /** Set where the API server failed to answer for the source: part A 1.7, `ResolveFailed`. */
      readonly retry?: 'Backoff';
    };
