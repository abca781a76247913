import type { StageSet } from '../types/stages.ts';
import type { Acting } from './actions/acting.ts';
import { dirtyRest, isDirty } from './actions/escalation.ts';
import { forcedStage } from './actions/forced-stage.ts';
import { hasActions } from './actions/ledger.ts';
import { settleActions } from './actions/settle-actions.ts';
import { type ActionEffect, actionEffect, isCommitted } from './actions/steps.ts';
import { requestedAtAnnotation } from './annotations.ts';
import { handBack, mostCorrected, startCorrection, withFurtherDrift } from './drift/correction.ts';
import { finalizer } from './finalizer.ts';
import { dependencyUnmet } from './gates/dependencies.ts';
import { settlePromotion } from './gates/settle-promotion.ts';
import type { Rest, Verdict } from './rest.ts';
import {
  type Applying,
  betweenStages,
  type PinnedArtifact,
  type RunProgress,
  type RunPurpose,
  startRun,
} from './run.ts';
import { runId } from './run-id.ts';
import { purposeAfter, purposeByStatus } from './run-purpose.ts';
import { underWay, verdictOf } from './run-verdict.ts';
import { dueAgain, jittered, retryIntervalOf } from './schedule.ts';
import type { Snapshot } from './snapshot.ts';
import { decideTeardown } from './teardown.ts';
import type { TeardownEffect, TeardownProgress } from './teardown-progress.ts';
import { after, type Instant, minutes } from './time.ts';
import { describeProblems } from './validate/field-problem.ts';
import { settleWaits } from './waits.ts';

/** What a pass found out, and the one thing to do next. */
export interface Decision {
  /** The run as it stands now; it replaces the snapshot's. */
  readonly run: RunProgress | undefined;
  readonly teardown?: TeardownProgress;
  readonly next: Effect;
}

/** The one thing to do next. Each effect is small, idempotent, and done by the controller. */
export type Effect =
  | { readonly kind: 'AddFinalizer' }
  | ActionEffect
  /** Fetch, build and check a stage, and record what it is about to own. */
  | { readonly kind: 'PrepareStage'; readonly stage: number }
  | { readonly kind: 'ApplyGroup'; readonly stage: number; readonly group: number }
  /** See whether the objects are gone that were deleted in order to be created anew. */
  | { readonly kind: 'LookForDeleted'; readonly stage: number }
  | { readonly kind: 'LookAtHealth'; readonly stage: number }
  /** Delete what the snapshot no longer holds, in reverse order. */
  | { readonly kind: 'Prune' }
  | TeardownEffect
  | Rest;

/**
 * The run, top to bottom: from what the world looks like to the one next thing to do.
 *
 * Called again after every effect; `/plan` calls it on the same snapshot to tell what would happen.
 */
export function decide(snapshot: Snapshot): Decision {
  const { stageSet } = snapshot;
  if (stageSet.metadata.deletionTimestamp !== undefined)
    return { run: undefined, ...decideTeardown(snapshot) };
  if (!(stageSet.metadata.finalizers ?? []).includes(finalizer)) {
    return { run: snapshot.run, next: { kind: 'AddFinalizer' } };
  }
  // What is deleted to be created anew is created first, or a suspension would leave it away.
  // What an action has done is on record first, or it would be done once more.
  const busy = isReplacing(snapshot.run) || isCommitted(snapshot);
  const held = busy ? undefined : firstHold(snapshot, beforeRun);
  if (held !== undefined) return { run: undefined, next: held };
  // First, since a stage that has just become ready or failed lets a newer snapshot take over.
  const run = settled(snapshot);
  if (run !== undefined && run.outcome === undefined && !superseded(run, snapshot)) {
    return continueRun(withFurtherDrift(run, snapshot.drift.due), snapshot);
  }
  const unavailable = firstHold(snapshot, beforeNewRun);
  if (unavailable !== undefined) return { run, next: unavailable };
  const pinned = pin(snapshot);
  if (run?.outcome !== undefined && !differs(run, snapshot, pinned)) {
    const due = whenDue(run, snapshot);
    if (due === undefined || due > snapshot.now) {
      const correction = startCorrection(run, snapshot.drift.due.slice(0, mostCorrected));
      if (correction !== undefined) return continueRun(correction, snapshot);
      const news = earlier(releaseOf(run), snapshot.drift.nextAt);
      return { run, next: rested(run, earlier(due, news)) };
    }
  }
  // What is being built or attempted is the affair of the run before, and is given up with it.
  const anew: Snapshot = { ...snapshot, building: false, attempt: 'None' };
  return continueRun(settleActions(newRun(anew, pinned), anew), anew);
}

function settled(snapshot: Snapshot): RunProgress | undefined {
  const { run } = snapshot;
  if (run === undefined) return undefined;
  if (run.outcome === undefined) {
    const acted = settleActions(settleWaits(run, snapshot), snapshot);
    return handBack(settlePromotion(acted, snapshot));
  }
  // A hold of a snapshot that is no longer wanted is not released: the next run asks anew.
  if (run.outcome.kind !== 'Held' || outdated(run, snapshot)) return run;
  return settlePromotion(run, snapshot);
}

function outdated(run: RunProgress, snapshot: Snapshot): boolean {
  if (run.generation !== snapshot.stageSet.metadata.generation) return true;
  const allThere = snapshot.sources.every(({ kind }) => kind === 'Ready');
  return allThere && run.id !== identify(snapshot, pin(snapshot));
}

/** A gate looks at the world and either lets the run pass or says what holds it. */
type RunGate = (snapshot: Snapshot) => Rest | undefined;

/** Asked on every pass, in this order (part A 2.3, steps 3 to 5). */
const beforeRun: readonly RunGate[] = [suspended, specRefused];

/**
 * Asked before a run starts, in this order (part A 2.3, steps 6 to 11; part B, gate order). Update
 * windows, error budgets, versions and approvals take their places behind the sources.
 */
const beforeNewRun: readonly RunGate[] = [dependencyUnmet, sourceUnavailable, dirty];

function firstHold(snapshot: Snapshot, gates: readonly RunGate[]): Rest | undefined {
  for (const gate of gates) {
    const hold = gate(snapshot);
    if (hold !== undefined) return hold;
  }
  return undefined;
}

function suspended({ spec }: Snapshot): Rest | undefined {
  if (spec.suspend !== true) return undefined;
  const message = 'Suspended: set spec.suspend to false to resume';
  return {
    kind: 'Rest',
    ready: { status: 'False', reason: 'Suspended', message },
    wakeAt: undefined,
  };
}

function specRefused({ problems, now }: Snapshot): Rest | undefined {
  if (problems.length === 0) return undefined;
  const message = describeProblems(problems);
  const ready: Verdict = { status: 'False', reason: 'InvalidSpec', message };
  return { kind: 'Rest', ready, wakeAt: after(now, minutes(1)) };
}

/** Every stage's source must be there before the cluster is touched (part A 2.3, step 7). */
function sourceUnavailable(snapshot: Snapshot): Rest | undefined {
  const { sources, now, spec, settings, stageSet } = snapshot;
  for (const source of sources) {
    if (source.kind === 'Ready') continue;
    const waits = source.reason === 'SourceNotReady' || source.reason === 'ArtifactNotFound';
    const pause = waits
      ? jittered(retryIntervalOf(spec, settings), `${stageSet.metadata.uid ?? ''}/${now}`)
      : minutes(1);
    const ready: Verdict = { status: 'False', reason: source.reason, message: source.message };
    if (source.retry === 'Backoff') {
      return { kind: 'Rest', ready, wakeAt: undefined, retry: 'Backoff' };
    }
    return { kind: 'Rest', ready, wakeAt: after(now, pause) };
  }
  return undefined;
}

/** Halted until a person has repaired what is broken, whatever else happens (part A 7.5). */
function dirty(snapshot: Snapshot): Rest | undefined {
  const { stageSet } = snapshot;
  return isDirty(stageSet, identify(snapshot, pin(snapshot))) ? dirtyRest(stageSet) : undefined;
}

/**
 * Whether the world has moved on from a run that is under way. It never takes over inside a stage,
 * unless a person asks: a forced reconcile ends a wait for health.
 */
function superseded(run: RunProgress, snapshot: Snapshot): boolean {
  if (isReplacing(run) || isCommitted({ ...snapshot, run })) return false;
  const allThere = snapshot.sources.every(({ kind }) => kind === 'Ready');
  if (run.requestedAt !== requestedAt(snapshot.stageSet)) return allThere;
  // A correction keeps nobody waiting: what it has not done yet, the newer run will.
  if (!betweenStages(run) && run.correction === undefined) return false;
  if (run.correction !== undefined && isOverdue(run.correction.interrupted, snapshot)) {
    return allThere;
  }
  if (run.generation !== snapshot.stageSet.metadata.generation) return true;
  return allThere && differs(run, snapshot, pin(snapshot));
}

/** A correction that waits must not keep the whole from being asserted when that is due. */
function isOverdue(interrupted: RunProgress, snapshot: Snapshot): boolean {
  const due = whenDue(interrupted, snapshot);
  return due !== undefined && due <= snapshot.now;
}

/** Something is deleted and not there again yet; the timeout of its stage bounds that. */
function isReplacing(run: RunProgress | undefined): boolean {
  if (run?.outcome !== undefined) return false;
  const step = run?.stages.find((stage) => stage.step.kind !== 'Ready')?.step;
  if (step?.kind === 'Applying') return step.recreation !== undefined;
  return step?.kind === 'Recreating';
}

function differs(run: RunProgress, snapshot: Snapshot, pinned: readonly PinnedArtifact[]): boolean {
  const asked = requestedAt(snapshot.stageSet);
  return run.id !== identify(snapshot, pinned) || run.requestedAt !== asked;
}

function pin({ sources }: Snapshot): PinnedArtifact[] {
  return sources.flatMap((source) => (source.kind === 'Ready' ? [source.artifact] : []));
}

function whenDue(run: RunProgress, snapshot: Snapshot): Instant | undefined {
  if (snapshot.reassert || massDrift(run, snapshot)) return snapshot.now;
  const forced = forcedStage(snapshot.stageSet);
  if (forced !== undefined && forced.token !== run.forced?.token) return snapshot.now;
  return dueAgain(run, snapshot.spec, snapshot.settings);
}

/** When time alone may release what holds an ended run. */
function releaseOf({ outcome }: RunProgress): Instant | undefined {
  return outcome?.kind === 'Held' ? outcome.hold.until : undefined;
}

/** Where much has drifted, a whole re-assertion finds it by lists. */
function massDrift({ outcome }: RunProgress, { drift }: Snapshot): boolean {
  return outcome?.kind === 'Succeeded' && drift.due.length > mostCorrected;
}

function earlier(one: Instant | undefined, other: Instant | undefined): Instant | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one < other ? one : other;
}

function newRun(snapshot: Snapshot, pinned: readonly PinnedArtifact[]): RunProgress {
  const { stageSet, spec, now } = snapshot;
  const id = identify(snapshot, pinned);
  const forced = forcedStage(stageSet);
  const purpose = purposeOf(snapshot, pinned);
  const start = {
    id,
    attempt: attemptAt(id, snapshot),
    generation: stageSet.metadata.generation ?? 0,
    spec,
    purpose: forced === undefined ? purpose : forcedPurpose(purpose),
    pinned,
    startedAt: now,
    requestedAt: requestedAt(stageSet),
    ...(forced === undefined ? {} : { forced }),
    actionFailures: isAskedAnew(stageSet) ? 0 : (stageSet.status?.actionFailureCount ?? 0),
  };
  const names = spec.stages.map(({ name }) => name);
  return startRun(start, names);
}

/** What runs anew by hand is on record, and no mere re-assertion. */
function forcedPurpose(purpose: RunPurpose): RunPurpose {
  return purpose === 'Reassert' ? 'Retry' : purpose;
}

/** A person has asked since the status was written: what failed before is forgotten (part A 2.2). */
function isAskedAnew(stageSet: StageSet): boolean {
  const asked = requestedAt(stageSet);
  return asked !== undefined && asked !== stageSet.status?.lastHandledReconcileAt;
}

/** A forced reconcile starts the backoff over (part A 2.2). */
function attemptAt(id: string, { run: before, stageSet }: Snapshot): number {
  const forced = before?.requestedAt !== requestedAt(stageSet);
  const again = !forced && before?.id === id && before.outcome?.kind === 'Failed';
  return again ? before.attempt + 1 : 1;
}

function purposeOf(snapshot: Snapshot, pinned: readonly PinnedArtifact[]): RunPurpose {
  const { stageSet, run } = snapshot;
  if (run !== undefined) return purposeAfter(run, identify(snapshot, pinned));
  return purposeByStatus(stageSet, pinned);
}

function identify({ stageSet, spec }: Snapshot, pinned: readonly PinnedArtifact[]): string {
  return runId({
    uid: stageSet.metadata.uid ?? '',
    generation: stageSet.metadata.generation ?? 0,
    stages: pinned.map(({ revision, digest }, index) => ({
      name: spec.stages[index]?.name ?? '',
      revision,
      digest,
    })),
    desiredVersion: undefined,
  });
}

function requestedAt(stageSet: StageSet): string | undefined {
  return stageSet.metadata.annotations?.[requestedAtAnnotation];
}

/** One run, stage by stage: the first stage that is not ready says what to do. */
function continueRun(run: RunProgress, snapshot: Snapshot): Decision {
  if (run.unsaved === true && run.outcome === undefined) {
    return { run, next: { kind: 'SaveLedgers' } };
  }
  for (const [stage, { step }] of run.stages.entries()) {
    switch (step.kind) {
      case 'Ready':
        continue;
      case 'Pending':
        return { run, next: enterOrPrepare(run, stage, snapshot) };
      case 'Acting':
        return { run, next: act(run, stage, step, snapshot) };
      case 'Applying':
        return { run, next: applyOnceServed(run, stage, step, snapshot.now) };
      case 'Recreating':
        return { run, next: lookForDeleted(run, stage, step.nextLook, snapshot.now) };
      case 'Establishing':
      case 'Verifying':
        return { run, next: lookAgain(run, stage, step.nextLook, snapshot.now) };
      case 'Verified':
      case 'AtGates':
      case 'Failed':
        return { run, next: rested(run, undefined) };
    }
  }
  if (run.correction !== undefined) {
    const { interrupted } = run.correction;
    const due = snapshot.drift.due.length > 0 ? snapshot.now : snapshot.drift.nextAt;
    return {
      run: interrupted,
      next: rested(interrupted, earlier(whenDue(interrupted, snapshot), due)),
    };
  }
  if (run.prune === 'Pending') return { run, next: { kind: 'Prune' } };
  const ended: RunProgress = { ...run, outcome: { kind: 'Succeeded', at: snapshot.now } };
  // What drifted while the run went on has waited for its end.
  const drift = snapshot.drift.due.length > 0 ? snapshot.now : snapshot.drift.nextAt;
  return { run: ended, next: rested(ended, earlier(whenDue(ended, snapshot), drift)) };
}

/** A stage with actions is entered first: then it is known which of them are done. */
function enterOrPrepare(run: RunProgress, stage: number, snapshot: Snapshot): Effect {
  const unknown = run.stages[stage]?.ledger === undefined;
  if (unknown && run.correction === undefined && hasActions(run.spec.stages[stage])) {
    return { kind: 'EnterStage', stage };
  }
  return prepareOnceBuilt(run, stage, snapshot);
}

/** An action that waits, or whose attempt goes on, holds no worker. */
function act(run: RunProgress, stage: number, step: Acting, snapshot: Snapshot): Effect {
  const next = actionEffect(stage, step, snapshot);
  if (next === undefined || typeof next === 'number') {
    return { kind: 'Rest', ready: underWay(run), wakeAt: next };
  }
  return next;
}

/** A slow source keeps its own StageSet waiting, and no worker. */
function prepareOnceBuilt(run: RunProgress, stage: number, { building }: Snapshot): Effect {
  if (!building) return { kind: 'PrepareStage', stage };
  return { kind: 'Rest', ready: underWay(run), wakeAt: undefined };
}

function applyOnceServed(run: RunProgress, stage: number, step: Applying, now: Instant): Effect {
  const wakeAt = step.unserved?.nextTry ?? now;
  if (wakeAt <= now) return { kind: 'ApplyGroup', stage, group: step.group };
  return { kind: 'Rest', ready: underWay(run), wakeAt };
}

function lookForDeleted(run: RunProgress, stage: number, due: Instant, now: Instant): Effect {
  if (due <= now) return { kind: 'LookForDeleted', stage };
  return { kind: 'Rest', ready: underWay(run), wakeAt: due };
}

function lookAgain(run: RunProgress, stage: number, due: Instant, now: Instant): Effect {
  if (due <= now) return { kind: 'LookAtHealth', stage };
  return { kind: 'Rest', ready: underWay(run), wakeAt: due };
}

function rested(run: RunProgress, wakeAt: Instant | undefined): Rest {
  return { kind: 'Rest', ready: verdictOf(run), wakeAt };
}
