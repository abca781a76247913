import type {
  BudgetFreeze,
  SnapshotEntry,
  StageSet,
  StageSetStatus,
  StageStatus,
} from '../types/stages.ts';
import type { Acting } from './actions/acting.ts';
import { withActions } from './actions/in-status.ts';
import { requestedAtAnnotation } from './annotations.ts';
import { cutMessage, readyCondition } from './conditions.ts';
import type { Failure } from './failure.ts';
import type { BudgetMemory } from './gates/budget-memory.ts';
import { outlivingRevision } from './gates/promotion-memory.ts';
import { withRunbook } from './reasons.ts';
import type { Verdict } from './rest.ts';
import { type RunProgress, type StageProgress, type StageStep, standing } from './run.ts';
import type { Instant } from './time.ts';
import { mostMigrationFailures } from './version/migration-failure.ts';
import { pendingMigrations } from './version/migration-rows.ts';

/** What a status is computed from besides the object itself. */
export interface StatusInput {
  readonly stageSet: StageSet;
  readonly run: RunProgress | undefined;
  /** Undefined leaves the Ready condition as it is. */
  readonly verdict: Verdict | undefined;
  /** Recorded inventory of each stage by name, as far as it is known. */
  readonly inventories: ReadonlyMap<string, InventorySize>;
  readonly runbookBase: string;
  readonly now: Instant;
}

export interface InventorySize {
  readonly entries: number;
  readonly shards: number;
}

/**
 * The status after a pass (part A 1.2). It is a merge: what the pass found out wins, stages that it
 * did not reach keep their previous entry, stages that left the spec drop out (part A 2.6).
 */
export function nextStatus(input: StatusInput): StageSetStatus {
  const { stageSet, run, verdict } = input;
  const previous = stageSet.status ?? {};
  const generation = stageSet.metadata.generation;
  const status: StageSetStatus = { ...previous };
  if (verdict !== undefined) status.conditions = conditions(input, verdict);
  if (verdict?.reason === 'Suspended') return status;
  if (verdict !== undefined && generation !== undefined) status.observedGeneration = generation;
  const handled = run?.outcome === undefined ? run?.requestedAt : undefined;
  const asked = handled ?? stageSet.metadata.annotations?.[requestedAtAnnotation];
  if (verdict !== undefined && asked !== undefined) status.lastHandledReconcileAt = asked;
  if (run === undefined) return status;
  // What a correction interrupts is what is on record.
  const whole = standing(run);
  countActionFailures(status, whole);
  if (hasBegun(run)) status.lastAttemptedRevisions = revisions(run);
  if (run.outcome?.kind === 'Succeeded') {
    status.lastAppliedRevisions = revisions(run);
    status.lastAppliedSnapshot = appliedSnapshot(run);
    status.lastAppliedGeneration = run.generation;
  }
  withPending(status, run);
  withOverrides(status, whole);
  withFreeze(status, run.budget);
  withVersion(status, whole);
  status.stages = stageStatuses(input, run);
  return status;
}

/** Failures count while an action that may be done only once is unfinished (part A 7.5). */
function countActionFailures(status: StageSetStatus, run: RunProgress): void {
  const { id, outcome, actionFailures } = run;
  if (actionFailures === undefined) return;
  if (outcome?.kind === 'Succeeded' || actionFailures === 0) delete status.actionFailureCount;
  else status.actionFailureCount = actionFailures;
  if (outcome === undefined || isHaltedHold(run)) return;
  const failure = outcome.kind === 'Failed' ? outcome.failure : undefined;
  if (failure !== undefined && isHalt(failure)) status.haltedRun = id;
  else delete status.haltedRun;
}

/** It has not come to what halted it, and nobody has asked for another try. */
function isHaltedHold({ outcome, migrationFailures = 0 }: RunProgress): boolean {
  return outcome?.kind === 'Held' && migrationFailures >= mostMigrationFailures;
}

/** Nothing but a person's repair lets the run be tried again (part A 7.5, part B 2.4). */
function isHalt({ reason, retry }: Failure): boolean {
  return retry === 'None' && (reason === 'ActionDirty' || reason === 'MigrationDirty');
}

/** Ready has the whole story; a stage's part of it must not fill the object. */
const longestNote = 4096;

/** The revision that a stage applied last, by its status entry. */
export function appliedRevisionOf(status: StageSetStatus, stage: string): string | undefined {
  return status.stages?.find(({ name }) => name === stage)?.appliedRevision;
}

function conditions(
  { stageSet, runbookBase, now }: StatusInput,
  { status, reason, message }: Verdict,
): NonNullable<StageSetStatus['conditions']> {
  const previous = stageSet.status?.conditions ?? [];
  const ready = readyCondition(
    previous.find(({ type }) => type === 'Ready'),
    {
      status,
      reason,
      message: withRunbook(message, reason, runbookBase),
      observedGeneration: stageSet.metadata.generation,
    },
    now,
  );
  return [...previous.filter(({ type }) => type !== 'Ready'), ready];
}

function revisions(run: RunProgress): Record<string, string> {
  // A correction has some stages only, but changes no revision.
  const { pinned } = standing(run);
  return Object.fromEntries(pinned.map(({ source, revision }) => [source, revision]));
}

/** What a gate keeps back before it has begun was not attempted. */
function hasBegun(run: RunProgress): boolean {
  const { outcome, stages } = standing(run);
  if (stages.some(({ step }) => step.kind !== 'Pending')) return true;
  return outcome !== undefined && outcome.kind !== 'Held';
}

function appliedSnapshot({ spec, pinned }: RunProgress): SnapshotEntry[] {
  return pinned.map(({ url, revision, digest }, index) => ({
    stage: spec.stages[index]?.name ?? '',
    url,
    revision,
    digest,
  }));
}

/** What is kept back is there for dependents and people to see, until it is let go. */
function withPending(status: StageSetStatus, run: RunProgress): void {
  const { outcome } = standing(run);
  // What held it before has not been asked yet.
  if (outcome === undefined && run.purpose !== 'Rollout') return;
  const pending = outcome?.kind === 'Held' ? outcome.hold.pendingUpdate : undefined;
  if (pending === undefined) delete status.pendingUpdate;
  else status.pendingUpdate = pending;
}

/** What an override was given for is delivered at the end of a run, and the override over. */
function withOverrides(status: StageSetStatus, { overrides, outcome }: RunProgress): void {
  const over = outcome?.kind === 'Succeeded';
  const { Update: update, Budget: budget } = overrides ?? {};
  if (update?.handled !== undefined) status.lastHandledUpdateOverride = update.handled;
  if (update?.bound !== undefined && !over) status.updateOverride = update.bound;
  else if (update !== undefined) delete status.updateOverride;
  if (budget?.handled !== undefined) status.lastHandledBudgetOverride = budget.handled;
  if (budget?.bound !== undefined && !over) status.budgetOverride = budget.bound;
  else if (budget !== undefined) delete status.budgetOverride;
}

/** What is on record of a change of the version, until all of it is delivered (part B 2.3). */
function withVersion(status: StageSetStatus, run: RunProgress): void {
  const { version, outcome, migrationLedger, migrationFailures } = run;
  if (version === undefined) return;
  if (outcome?.kind === 'Succeeded') {
    status.version = version.desired;
    delete status.pendingVersion;
    delete status.pendingMigrations;
    delete status.executedMigrations;
    delete status.executedMigrationActions;
    delete status.migrationFailureCount;
    return;
  }
  if (version.approved) delete status.pendingVersion;
  else status.pendingVersion = version.desired;
  status.pendingMigrations = pendingMigrations(version.plan);
  if (migrationLedger !== undefined) {
    status.executedMigrations = [...migrationLedger.migrations];
    status.executedMigrationActions = [...migrationLedger.actions];
  }
  if (migrationFailures === undefined || migrationFailures === 0)
    delete status.migrationFailureCount;
  else status.migrationFailureCount = migrationFailures;
}

/** One that ended is gone; one that was not asked for stays. */
function withFreeze(
  entry: { budgetFreeze?: BudgetFreeze },
  budget: BudgetMemory | undefined,
): void {
  if (budget?.freeze !== undefined) entry.budgetFreeze = budget.freeze;
  else if (budget !== undefined) delete entry.budgetFreeze;
}

function stageStatuses({ stageSet, inventories }: StatusInput, run: RunProgress): StageStatus[] {
  const previous = new Map((stageSet.status?.stages ?? []).map((entry) => [entry.name, entry]));
  return (stageSet.spec?.stages ?? []).map(({ name }) => {
    const before = previous.get(name);
    const index = run.stages.findIndex((stage) => stage.name === name);
    const progress = run.stages[index];
    const entry =
      progress === undefined
        ? unreached(name, before)
        : withActions(
            reached(progress, run, run.pinned[index]?.revision, before),
            progress,
            run.forced,
          );
    const size = inventories.get(name);
    const sized: StageStatus =
      size === undefined
        ? { ...entry }
        : { ...entry, entriesCount: size.entries, shards: size.shards };
    withFreeze(sized, progress?.budget);
    return sized;
  });
}

function unreached(name: string, before: StageStatus | undefined): StageStatus {
  return before ?? { name, phase: 'Pending' };
}

function reached(
  { name, step }: StageProgress,
  run: RunProgress,
  revision: string | undefined,
  before: StageStatus | undefined,
): StageStatus {
  if (step.kind === 'Pending') return unreached(name, before);
  const kept: StageStatus = { ...before, name };
  delete kept.message;
  if (step.kind === 'Failed') {
    const message = cutMessage(`${step.failure.operation}: ${step.failure.message}`, longestNote);
    const entry: StageStatus = { ...kept, phase: 'Failed', message };
    return appliedInFull(step) ? withApplied(entry, revision) : entry;
  }
  // A pass that only re-asserts must not make a healthy stage look busy to whoever watches it.
  if (run.purpose === 'Reassert' && run.outcome === undefined && before?.phase === 'Ready') {
    return before;
  }
  const entry: StageStatus = { ...kept, phase: phaseOf(step, run) };
  if (!appliedInFull(step)) return entry;
  return withGates(withApplied(entry, revision), step, run);
}

/** Most of what the gates remember belongs to the revision that they were asked about. */
function withApplied(entry: StageStatus, revision: string | undefined): StageStatus {
  if (revision === undefined || entry.appliedRevision === revision) return entry;
  const applied: StageStatus = { ...entry, appliedRevision: revision };
  delete applied.promotionState;
  const outliving = outlivingRevision(entry.promotionState);
  return outliving === undefined ? applied : { ...applied, promotionState: outliving };
}

function withGates(entry: StageStatus, step: StageStep, { outcome }: RunProgress): StageStatus {
  if (step.kind === 'AtGates' && step.state !== undefined) {
    const held = outcome?.kind === 'Held' && outcome.stage === entry.name;
    const message = held ? { message: cutMessage(outcome.hold.message, longestNote) } : {};
    return { ...entry, ...message, promotionState: step.state };
  }
  if (step.kind !== 'Ready' || step.passage === undefined) return entry;
  const { state, handled } = step.passage;
  const passed: StageStatus = { ...entry };
  delete passed.promotionState;
  if (state !== undefined) passed.promotionState = state;
  if (handled !== undefined) passed.lastHandledPromotion = handled;
  return passed;
}

/** What can only fail once the last object of the stage is applied (part B 9.4). */
const afterApply: ReadonlySet<string> = new Set(['verify', 'post-action']);

/** Only what is applied in full counts as applied; until then the previous revision stands. */
function appliedInFull(step: StageStep): boolean {
  if (step.kind === 'Failed') return afterApply.has(step.failure.operation);
  if (step.kind === 'Acting') {
    return step.hook === 'post' || afterApply.has(step.cause?.operation ?? '');
  }
  return wholeSteps.has(step.kind);
}

const wholeSteps: ReadonlySet<StageStep['kind']> = new Set([
  'Verifying',
  'Verified',
  'AtGates',
  'Ready',
]);

function phaseOfAction({ hook }: Acting): NonNullable<StageStatus['phase']> {
  switch (hook) {
    case 'migration':
    case 'pre':
      return 'Pending';
    case 'post':
      return 'Verifying';
    case 'onFailure':
      return 'Failed';
  }
}

function phaseOf(step: StageStep, run: RunProgress): NonNullable<StageStatus['phase']> {
  switch (step.kind) {
    case 'Pending':
      return 'Pending';
    case 'Applying':
    case 'Recreating':
    case 'Establishing':
      return 'Applying';
    case 'Acting':
      return phaseOfAction(step);
    case 'Verifying':
    case 'Verified':
    case 'AtGates':
      return 'Verifying';
    case 'Ready':
      return pruning(run) ? 'Pruning' : 'Ready';
    case 'Failed':
      return 'Failed';
  }
}

function pruning(run: RunProgress): boolean {
  return (
    run.outcome === undefined &&
    run.prune === 'Pending' &&
    run.stages.every(({ step }) => step.kind === 'Ready')
  );
}
