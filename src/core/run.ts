import type { Gate } from '../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { ObjectReference } from '../types/kubernetes.ts';
import type { PromotionState, StageSetSpec } from '../types/stages.ts';
import type { Acting, ActionRecord } from './actions/acting.ts';
import type { ActionLedger } from './actions/ledger.ts';
import type { DriftedObject } from './drift/drifted.ts';
import type { Failure } from './failure.ts';
import type { Ask } from './gates/asks.ts';
import type { GateQuestions, Passage } from './gates/at-gates.ts';
import type { BudgetMemory } from './gates/budget-memory.ts';
import type { AnnotationPassage, GateHold } from './gates/gate-hold.ts';
import type { RunOverrides } from './gates/override.ts';
import type { AwaitedHealth } from './health/awaited.ts';
import type { ExpressionVerdict, Subject } from './health/expressions.ts';
import type { PinnedArtifact } from './pinned-artifact.ts';
import type { Duration, Instant } from './time.ts';
import type { MigrationLedger } from './version/migration-ledger.ts';
import type { RunVersion } from './version/run-version.ts';
import type { VersionAsk } from './version/version-asks.ts';

/**
 * What is known of one attempt to make a snapshot real. The durable truth is in the API server; this
 * is the part of it that a controller remembers between two looks at a run that is under way, and it
 * can be lost at any moment: a run without it starts again at stage one, where unchanged stages cost
 * nothing.
 */
export interface RunProgress {
  /** Short hash of the snapshot: equal for two observers of the same one. */
  readonly id: string;
  readonly generation: number;
  /** The spec as it was when the run started; like the artifacts, the run uses no other. */
  readonly spec: StageSetSpec;
  /** How often this snapshot was tried in a row, from 1; only failures make it grow. */
  readonly attempt: number;
  /** Whether the whole snapshot had been applied before: then this pass only re-asserts it. */
  readonly purpose: RunPurpose;
  /** Artifacts as they were when the run started, in stage order; the run uses no others. */
  readonly pinned: readonly PinnedArtifact[];
  readonly startedAt: Instant;
  /** Value of `reconcile.fluxcd.io/requestedAt` that this run answers. */
  readonly requestedAt: string | undefined;
  /** The stage whose actions a person asks to be done anew (`reconcile-stage`). */
  readonly forced?: ForcedStage;
  /** Failures in a row of stages with an unfinished Lifetime action, those before the run included. */
  readonly actionFailures?: number;
  /** Failures in a row of migrations, those before the run included. */
  readonly migrationFailures?: number;
  /** The version that it leads to; undefined without versions. */
  readonly desiredVersion?: string;
  /** The change of the version that it makes; undefined until that is planned, or without versions. */
  readonly version?: RunVersion;
  /** What is on record of the migrations of that change. */
  readonly migrationLedger?: MigrationLedger;
  readonly stages: readonly StageProgress[];
  readonly prune: 'Pending' | 'Done';
  readonly outcome: RunOutcome | undefined;
  /** Something of the actions must be in the status before anything else is done. */
  readonly unsaved?: boolean;
  /** What its gates must know before it can go on. */
  readonly asks?: readonly (Ask | VersionAsk)[];
  /** What annotations let it past. */
  readonly overrides?: RunOverrides;
  /** Gates that would have held it, had an annotation not let it past. */
  readonly passages?: readonly AnnotationPassage[];
  /** What is remembered of the error budget of the whole. */
  readonly budget?: BudgetMemory;
  /** What is applied while gates keep back what is pinned. */
  readonly deployed?: readonly (PinnedArtifact | undefined)[];
  /** The spec by which it was delivered; undefined where nobody knows. */
  readonly deliveredSpec?: StageSetSpec;
  /** What is applied has been asserted since the hold began, as far as that could be done. */
  readonly kept?: boolean;
  /** Set in a run that corrects drift and nothing else; it has the stages of the drifted objects. */
  readonly correction?: Correction;
}

/** What the annotation `reconcile-stage` asks for: `<stage>@<token>`. */
export interface ForcedStage {
  readonly stage: string;
  readonly token: string;
}

/** What a correction is about. */
export interface Correction {
  readonly objects: readonly DriftedObject[];
  /** All that is applied in its stages is asserted, not these objects alone. */
  readonly whole?: boolean;
  /** The ended run that stands again afterwards. */
  readonly interrupted: RunProgress;
}

/**
 * `Rollout`: something of the snapshot is new. `Retry`: it was attempted before and did not succeed.
 * `Reassert`: all of it was applied and verified before.
 */
export type RunPurpose = 'Rollout' | 'Retry' | 'Reassert';

export interface StageProgress {
  readonly name: string;
  readonly step: StageStep;
  /** Objects that this run changed in the stage so far. */
  readonly changes: ChangeCounts;
  /** What is remembered of its own error budget. */
  readonly budget?: BudgetMemory;
  /** Gates before it that count as passed, whatever they would say. */
  readonly passed?: readonly Gate[];
  /** Which of its actions are done; undefined until the run comes to a stage that has some. */
  readonly ledger?: ActionLedger;
  /** What this run did of its actions, and what it did not have to do. */
  readonly acts?: readonly ActionRecord[];
}

export interface ChangeCounts {
  readonly created: number;
  readonly configured: number;
  /** Deleted and created anew, since a change was impossible. */
  readonly recreated: number;
  readonly unchanged: number;
  /** There already and left alone, by KeepExisting. */
  readonly skipped: number;
}

/** Where a stage is in the pipeline. Later features add their steps between these. */
export type StageStep =
  /** Not begun; `migrated` once its migrations are done, `acted` once its pre-actions are, too. */
  | { readonly kind: 'Pending'; readonly migrated?: boolean; readonly acted?: boolean }
  /** One of its actions is under way. */
  | ({ readonly kind: 'Acting' } & Acting)
  | ({ readonly kind: 'Applying' } & Applying)
  /** Objects of a group that cannot be changed must be gone before the group is applied. */
  | ({ readonly kind: 'Recreating' } & Recreating)
  /** A group that the next one builds on (CRDs, Namespaces, classes) must be usable first. */
  | ({ readonly kind: 'Establishing'; readonly group: number; readonly groups: number } & Wait)
  | ({ readonly kind: 'Verifying' } & Wait)
  /** Applied and healthy; its post-actions come next. */
  | { readonly kind: 'Verified' }
  /** Applied and healthy; `state` is what its promotion gates said last. */
  | ({ readonly kind: 'AtGates'; readonly state?: PromotionState } & GateQuestions)
  | { readonly kind: 'Ready'; readonly passage?: Passage }
  /** `answered` once its onFailure actions are done. */
  | { readonly kind: 'Failed'; readonly failure: Failure; readonly answered?: boolean };

/** The next group to apply, in the order of part A 5.2. */
export interface Applying {
  readonly group: number;
  readonly groups: number;
  /** Health of the groups before it. */
  readonly health: readonly AwaitedHealth[];
  /** Set while the API server does not serve yet what a CRD of an earlier group defines. */
  readonly unserved?: { readonly since: Instant; readonly nextTry: Instant };
  /** Set once objects of the group were deleted in order to be created anew. */
  readonly recreation?: Recreation;
}

/** An object that was deleted in order to be created anew. */
export interface DeletedObject {
  readonly object: ObjectReference;
  /** Of the deleted one: another object under its name is not waited for. */
  readonly uid: string;
}

/** The deletions of one group so far, which together have one deadline. */
export interface Recreation {
  readonly since: Instant;
  /** The timeout of the stage (part A 5.3). */
  readonly bound: Duration;
  readonly objects: readonly ObjectReference[];
}

/** A wait for deleted objects to be gone, which holds no worker. */
export interface Recreating {
  readonly group: number;
  readonly groups: number;
  /** Health of the groups before this one. */
  readonly established: readonly AwaitedHealth[];
  readonly recreation: Recreation;
  /** Those that finalizers or a grace period still hold. */
  readonly remaining: readonly DeletedObject[];
  readonly looks: number;
  readonly nextLook: Instant;
}

/** A wait for health that holds no worker: somebody looks again at `nextLook`. */
export interface Wait {
  readonly since: Instant;
  readonly bound: Duration;
  readonly looks: number;
  readonly nextLook: Instant;
  /** When the objects were read last; undefined while only the answers to the apply are known. */
  readonly lookedAt?: Instant;
  /** The objects waited for, as last seen. */
  readonly health: readonly AwaitedHealth[];
  /** Set where `readyChecks.exprs` speak of an object of the stage. */
  readonly expressions?: ExpressionWait;
}

/** What `readyChecks.exprs` say, which are asked as soon as all objects waited for are current. */
export interface ExpressionWait {
  readonly subjects: readonly Subject[];
  /** As of the last look; undefined when that did not get to ask. */
  readonly verdicts: readonly ExpressionVerdict[] | undefined;
}

/** How a run ended. A held run has not failed: it goes on when it is looked at again. */
export type RunOutcome =
  | { readonly kind: 'Succeeded'; readonly at: Instant }
  | {
      readonly kind: 'Failed';
      readonly at: Instant;
      readonly stage?: string;
      readonly failure: Failure;
    }
  /** A gate keeps the next stage back; what is applied stays. */
  | {
      readonly kind: 'Held';
      readonly at: Instant;
      readonly stage: string;
      readonly hold: GateHold;
    }
  | {
      readonly kind: 'Progressing';
      readonly at: Instant;
      readonly stage: string;
      readonly message: string;
    };

const noChanges: ChangeCounts = {
  created: 0,
  configured: 0,
  recreated: 0,
  unchanged: 0,
  skipped: 0,
};

export function startRun(
  run: Pick<
    RunProgress,
    | 'id'
    | 'generation'
    | 'spec'
    | 'attempt'
    | 'purpose'
    | 'pinned'
    | 'startedAt'
    | 'requestedAt'
    | 'forced'
    | 'actionFailures'
    | 'migrationFailures'
    | 'desiredVersion'
    | 'deployed'
    | 'deliveredSpec'
  >,
  stageNames: readonly string[],
): RunProgress {
  return {
    ...run,
    stages: stageNames.map((name) => ({ name, step: { kind: 'Pending' }, changes: noChanges })),
    prune: 'Pending',
    outcome: undefined,
  };
}

/** The run itself; for a correction the one that it interrupts, which stands again afterwards. */
export function standing(run: RunProgress): RunProgress;
export function standing(run: RunProgress | undefined): RunProgress | undefined;
export function standing(run: RunProgress | undefined): RunProgress | undefined {
  return run?.correction?.interrupted ?? run;
}

/** The run with one stage moved to its next step. */
export function withStep(run: RunProgress, index: number, step: StageStep): RunProgress {
  return withStage(run, index, (stage) => ({ ...stage, step }));
}

/** The run with the outcome of one applied group added to a stage's counts. */
export function withChanges(run: RunProgress, index: number, changes: ChangeCounts): RunProgress {
  return withStage(run, index, (stage) => ({
    ...stage,
    changes: {
      created: stage.changes.created + changes.created,
      configured: stage.changes.configured + changes.configured,
      recreated: stage.changes.recreated + changes.recreated,
      unchanged: stage.changes.unchanged + changes.unchanged,
      skipped: stage.changes.skipped + changes.skipped,
    },
  }));
}

/** The run with one stage changed. */
export function withStage(
  run: RunProgress,
  index: number,
  change: (stage: StageProgress) => StageProgress,
): RunProgress {
  return {
    ...run,
    stages: run.stages.map((stage, position) => (position === index ? change(stage) : stage)),
  };
}

/** Whether the run is at a point where a newer snapshot may take its place: never inside a stage. */
export function betweenStages(run: RunProgress): boolean {
  return run.stages.every(
    ({ step }) => outsideStage.has(step.kind) && !(step.kind === 'Pending' && hasActed(step)),
  );
}

/** Whether something was done of a stage that is pending. */
export function hasActed({ migrated, acted }: Extract<StageStep, { kind: 'Pending' }>): boolean {
  return migrated === true || acted === true;
}

const outsideStage: ReadonlySet<StageStep['kind']> = new Set(['Pending', 'AtGates', 'Ready']);

/** Whether a person took a stage past its gates between these two looks at one run. */
export function isPromotedByHand(before: RunProgress | undefined, run: RunProgress): boolean {
  if (before?.startedAt !== run.startedAt) return false;
  return run.stages.some(
    ({ step }, index) =>
      before.stages[index]?.step.kind !== 'Ready' &&
      step.kind === 'Ready' &&
      step.passage?.handled !== undefined,
  );
}
