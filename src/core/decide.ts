import type { StageSetSpec } from '../types/stages.ts';
import type { Acting } from './actions/acting.ts';
import { dirtyRest, isDirty } from './actions/escalation.ts';
import { forcedStage } from './actions/forced-stage.ts';
import { hasActions } from './actions/ledger.ts';
import { settleActions } from './actions/settle-actions.ts';
import { type ActionEffect, actionEffect, isCommitted } from './actions/steps.ts';
import {
  handBack,
  mostCorrected,
  startCorrection,
  startKeeping,
  withFurtherDrift,
} from './drift/correction.ts';
import { finalizer } from './finalizer.ts';
import type { Ask } from './gates/asks.ts';
import { sourceUnavailable, specRefused, suspended } from './gates/before-run.ts';
import { dependencyUnmet } from './gates/dependencies.ts';
import { settleEntry } from './gates/entry.ts';
import { frozenUntil } from './gates/frozen.ts';
import { settlePromotion } from './gates/settle-promotion.ts';
import { identify, newRun, pin, requestedAt } from './new-run.ts';
import type { PinnedArtifact } from './pinned-artifact.ts';
import type { Rest } from './rest.ts';
import { type Applying, betweenStages, type RunProgress } from './run.ts';
import { underWay, verdictOf } from './run-verdict.ts';
import { dueAgain, intervalOf } from './schedule.ts';
import type { Snapshot } from './snapshot.ts';
import { decideTeardown } from './teardown.ts';
import type { TeardownEffect, TeardownProgress } from './teardown-progress.ts';
import { after, earlier, type Instant } from './time.ts';
import type { VersionAsk } from './version/version-asks.ts';
import { wantedVersion } from './version/wanted-version.ts';
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
  /** Find out what gates must know, while no worker waits for it. */
  | AskEffect
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

interface AskEffect {
  readonly kind: 'Ask';
  readonly asks: readonly (Ask | VersionAsk)[];
  /** What the asks are about. */
  readonly spec: StageSetSpec;
}

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
    return proceed(withFurtherDrift(run, snapshot.drift.due), snapshot);
  }
  const unavailable = firstHold(snapshot, beforeNewRun);
  if (unavailable !== undefined) return { run, next: unavailable };
  const pinned = pin(snapshot);
  if (run?.outcome !== undefined && !differs(run, snapshot, pinned)) {
    if (hasAsks(run)) return { run, next: ask(run, snapshot) };
    const due = whenDue(run, snapshot);
    if (due === undefined || due > snapshot.now) return keep(run, due, snapshot);
  }
  // What is being built, attempted or asked is the affair of the run before, and is given up with it.
  const anew: Snapshot = { ...snapshot, building: false, attempt: 'None', asking: false };
  return proceed(settleEntry(settleActions(newRun(anew, pinned), anew), anew), anew);
}

/** A run that may go on does, after what its gates must know. */
function proceed(run: RunProgress, snapshot: Snapshot): Decision {
  if (run.unsaved === true && run.outcome === undefined) {
    return { run, next: { kind: 'SaveLedgers' } };
  }
  if (hasAsks(run)) return { run, next: ask(run, snapshot) };
  if (run.outcome === undefined) return inTimeForHold(continueRun(run, snapshot));
  return keep(run, whenDue(run, snapshot), snapshot);
}

/** Whoever corrects what a held run has applied looks at the hold when that may end. */
function inTimeForHold(decision: Decision): Decision {
  const { run, next } = decision;
  const until = run?.correction === undefined ? undefined : releaseOf(run.correction.interrupted);
  if (next.kind !== 'Rest' || until === undefined) return decision;
  return { ...decision, next: { ...next, wakeAt: earlier(next.wakeAt, until) } };
}

/** An ended run stands: what it applied is kept as it is, until `due`. */
function keep(run: RunProgress, due: Instant | undefined, snapshot: Snapshot): Decision {
  const thaw = frozenUntil(run, snapshot);
  if (thaw !== undefined) return { run, next: rested(run, thaw.until) };
  const drifted = snapshot.drift.due.slice(0, mostCorrected);
  const correction = startKeeping(run) ?? startCorrection(run, drifted);
  if (correction !== undefined) return inTimeForHold(continueRun(correction, snapshot));
  const news = earlier(releaseOf(run), snapshot.drift.nextAt);
  return { run, next: rested(run, earlier(due, news)) };
}

function hasAsks(run: RunProgress): boolean {
  return asksOf(run).length > 0;
}

/** What the gates of the stage that a run is at must know. */
function asksOf({ asks = [], stages }: RunProgress): readonly (Ask | VersionAsk)[] {
  const step = stages.find((stage) => stage.step.kind !== 'Ready')?.step;
  return step?.kind === 'AtGates' ? (step.asks ?? []) : asks;
}

/** What is being found out keeps no worker; its end wakes the StageSet. */
function ask(run: RunProgress, { asking }: Snapshot): Effect {
  if (asking) return rested(run, undefined);
  return { kind: 'Ask', asks: asksOf(run), spec: run.spec };
}

function settled(snapshot: Snapshot): RunProgress | undefined {
  const { run } = snapshot;
  if (run === undefined) return undefined;
  if (run.outcome === undefined) {
    const asked = heldMeanwhile(run, snapshot);
    if (run.correction !== undefined && asked.correction === undefined) return asked;
    const acted = settleActions(settleWaits(asked, snapshot), snapshot);
    return atGates(handBack(acted), snapshot);
  }
  // A hold of a snapshot that is no longer wanted is not released: the next run asks anew.
  if (run.outcome.kind !== 'Held' || outdated(run, snapshot)) return run;
  return atGates(run, snapshot);
}

/** The run with the gates behind its healthy stage asked, and those before its next one. */
function atGates(run: RunProgress, snapshot: Snapshot): RunProgress {
  const promoted = settlePromotion(run, snapshot, snapshot.answers);
  return settleActions(settleEntry(promoted, snapshot), snapshot);
}

/**
 * A correction with the hold that it interrupts asked meanwhile: one that ends does not wait until what
 * is applied is kept as it is, and what it must know is found out beside it.
 */
function heldMeanwhile(run: RunProgress, snapshot: Snapshot): RunProgress {
  const { correction } = run;
  if (correction?.interrupted.outcome?.kind !== 'Held' || isReplacing(run)) return run;
  if (outdated(correction.interrupted, snapshot)) return run;
  const interrupted = atGates(correction.interrupted, snapshot);
  if (interrupted.outcome === undefined) return interrupted;
  return { ...run, asks: asksOf(interrupted), correction: { ...correction, interrupted } };
}

function outdated(run: RunProgress, snapshot: Snapshot): boolean {
  if (run.generation !== snapshot.stageSet.metadata.generation) return true;
  const allThere = snapshot.sources.every(({ kind }) => kind === 'Ready');
  return allThere && run.id !== identify(snapshot, pin(snapshot));
}

/** A gate looks at the world and either lets the run pass or says what holds it. */
type RunGate = (snapshot: Snapshot) => Rest | AskEffect | undefined;

/** Asked on every pass, in this order (part A 2.3, steps 3 to 5). */
const beforeRun: readonly RunGate[] = [suspended, specRefused];

/**
 * Asked before a run starts, in this order (part A 2.3, steps 6 to 11; part B, gate order). Update
 * windows, error budgets, versions and approvals take their places behind the sources.
 */
const beforeNewRun: readonly RunGate[] = [
  dependencyUnmet,
  sourceUnavailable,
  versionUnknown,
  dirty,
];

function firstHold(snapshot: Snapshot, gates: readonly RunGate[]): Rest | AskEffect | undefined {
  for (const gate of gates) {
    const hold = gate(snapshot);
    if (hold !== undefined) return hold;
  }
  return undefined;
}

/** What a run leads to is a part of what it is, and known before it begins (part B 2.1). */
function versionUnknown(snapshot: Snapshot): Rest | AskEffect | undefined {
  const wanted = wantedVersion({ ...snapshot, pinned: pin(snapshot) });
  switch (wanted.kind) {
    case 'None':
      return undefined;
    case 'Known':
      return wanted.found === undefined || isRecent(wanted.found.at, snapshot)
        ? undefined
        : askVersion(wanted.found.ask, snapshot);
    case 'Ask':
      return askVersion(wanted.ask, snapshot);
    case 'Refused': {
      const { reason, message, until } = wanted;
      return { kind: 'Rest', ready: { status: 'False', reason, message }, wakeAt: until };
    }
  }
}

function askVersion(ask: VersionAsk, { asking, spec }: Snapshot): Rest | AskEffect {
  if (asking) return { kind: 'Rest', ready: undefined, wakeAt: undefined, awaitsAnswer: true };
  return { kind: 'Ask', asks: [ask], spec };
}

/** What a version is made from may change without a new revision, as a ConfigMap of variables does. */
function isRecent(at: Instant, { now, spec, settings }: Snapshot): boolean {
  return after(at, intervalOf(spec, settings)) > now;
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
      case 'AtGates':
        return { run, next: rested(run, step.unreadable?.retryAt) };
      case 'Verified':
      case 'Failed':
        return { run, next: rested(run, undefined) };
    }
  }
  if (run.correction !== undefined) {
    const { interrupted } = run.correction;
    const due = snapshot.drift.due.length > 0 ? snapshot.now : snapshot.drift.nextAt;
    const news = earlier(releaseOf(interrupted), due);
    return {
      run: interrupted,
      next: rested(interrupted, earlier(whenDue(interrupted, snapshot), news)),
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
