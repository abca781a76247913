import type { AppliedObject } from '../apply/applied-object.ts';
import { fieldManager } from '../apply/field-manager.ts';
import type { BeforeWrite } from '../apply/read-before.ts';
import { isDecryptionError } from '../build/sops/decryption-error.ts';
import type { ActionRecord } from '../core/actions/acting.ts';
import { actionsOf, scopeIn } from '../core/actions/action.ts';
import type { LedgerEvent } from '../core/actions/lifetime.ts';
import { describeDrift } from '../core/drift/evidence.ts';
import { formatDuration } from '../core/duration.ts';
import { eventAnnotations, runBehind } from '../core/event-annotations.ts';
import type { Failure } from '../core/failure.ts';
import { gateEvents, isToldByGate } from '../core/gates/gate-events.ts';
import { describeObject, identityOf } from '../core/objects/identity.ts';
import type { Verdict } from '../core/rest.ts';
import type { Correction, RunProgress, Wait } from '../core/run.ts';
import type { ForcedTeardown } from '../core/teardown-progress.ts';
import type { Duration } from '../core/time.ts';
import { describeWait } from '../core/waits.ts';
import type { EventRecorder } from '../kubernetes/events.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { Logger } from '../types/log.ts';
import type { ControllerMetrics, StageSetName } from '../types/metrics.ts';
import type { ActionScope, Stage, StageLedger, StageSet } from '../types/stages.ts';
import { OperationError } from './failure.ts';
import { GateReports } from './gate-reports.ts';
import { ledgerRecord } from './ledger-record.ts';

/** An object that is changed back and forth, in words, and how long it is left alone now. */
export interface Contested {
  readonly what: string;
  readonly pause: Duration;
}

/** Tells people and machines what happened: events, metrics and logs, and nothing else. */
export class Reporter {
  /** What gates found out. */
  readonly gates: GateReports;
  readonly #events: EventRecorder;
  readonly #metrics: ControllerMetrics;
  readonly #logger: Logger;

  constructor(events: EventRecorder, metrics: ControllerMetrics, logger: Logger) {
    this.gates = new GateReports(events, metrics);
    this.#events = events;
    this.#metrics = metrics;
    this.#logger = logger;
  }

  runStarted(stageSet: StageSet, run: RunProgress): void {
    this.#of(stageSet).debug('run started', {
      run: run.id,
      purpose: run.purpose,
      attempt: run.attempt,
      generation: run.generation,
    });
  }

  /** A stage that just became ready has passed apply and verify. */
  stagesMoved(stageSet: StageSet, before: RunProgress | undefined, run: RunProgress): void {
    const known = new Map(before?.stages.map(({ name, step }) => [name, step]));
    // The end of a correction is news of the stages that it had.
    const ended = before?.correction !== undefined && run.correction === undefined;
    for (const { name, step } of run.stages) {
      if (ended && !known.has(name)) continue;
      const previous = before?.startedAt === run.startedAt ? known.get(name) : undefined;
      if (previous?.kind === step.kind) continue;
      const owner = nameOf(stageSet);
      if (step.kind === 'Ready') {
        if (previous?.kind !== 'AtGates') this.#metrics.stageApplied(owner, name);
        this.#metrics.setStageReadiness(owner, name, 'Ready');
      } else if (step.kind === 'AtGates') {
        this.#metrics.stageApplied(owner, name);
        this.#metrics.setStageReadiness(owner, name, 'NotReady');
      } else if (step.kind === 'Failed' || run.purpose !== 'Reassert') {
        this.#metrics.setStageReadiness(owner, name, 'NotReady');
      }
    }
  }

  /** Actions that ended since the last look are counted, and those that answer to a failure told. */
  actionsMoved(stageSet: StageSet, before: RunProgress | undefined, run: RunProgress): void {
    const same = before?.startedAt === run.startedAt;
    for (const [index, { name: stage, acts = [] }] of run.stages.entries()) {
      const known = same ? (before.stages[index]?.acts ?? []).length : 0;
      for (const act of acts.slice(known)) {
        const fields = { stage, hook: act.hook, action: act.name, type: act.type };
        if (act.outcome === 'Skipped') {
          this.#carriedOver(stageSet, run, index, act);
          continue;
        }
        this.#of(stageSet).info('action ended', { ...fields, outcome: act.outcome });
        if (act.hook === 'onFailure') this.onFailureAction(stageSet, stage, act.name, act.message);
        else this.actionRun(stageSet, scopeOfAct(run.spec.stages[index], act));
      }
    }
  }

  /** What is done once for a version is not done again for another revision of it (part B 9.2). */
  #carriedOver(stageSet: StageSet, run: RunProgress, index: number, act: ActionRecord): void {
    const { desiredVersion, stages, spec, pinned } = run;
    const { name: stage = '' } = stages[index] ?? {};
    if (desiredVersion === undefined || act.hook === 'migration') return;
    if (scopeOfAct(spec.stages[index], act) !== 'Version') return;
    const applied = stageSet.status?.stages?.find(({ name }) => name === stage)?.appliedRevision;
    if (applied === undefined || applied === pinned[index]?.revision) return;
    this.actionSkipped(stageSet, stage, act.name, desiredVersion);
  }

  stageFailed(stageSet: StageSet, stage: string, failure: Failure, error: unknown): void {
    const terminal = failure.retry !== 'Backoff';
    const cause = error instanceof OperationError ? error.cause : error;
    const detail = isDecryptionError(cause) ? cause.detail : undefined;
    const fields = {
      stage,
      op: failure.operation,
      terminal,
      error: cause,
      ...(detail === undefined ? {} : { detail }),
    };
    this.#of(stageSet).warn('stage failed', fields);
  }

  /** A sign of life, each minute of a long wait (part A 2.8). */
  stillWaiting(stageSet: StageSet, stage: string, wait: Wait, minutes: number): void {
    this.#of(stageSet).info('still waiting', { stage, minutes, for: describeWait(wait) });
  }

  warned(stageSet: StageSet, stage: string, warnings: readonly string[]): void {
    for (const warning of warnings) this.#of(stageSet).warn(warning, { stage });
  }

  /** Live objects were deleted, since they cannot be changed into what is wanted. */
  recreating(stageSet: StageSet, stage: string, names: readonly string[]): void {
    this.#of(stageSet).info('replacing objects', { stage, objects: listed(names) });
  }

  /** What a re-assertion had to write was drift: somebody had changed it (part A 5.4). */
  applied(
    stageSet: StageSet,
    stage: string,
    run: RunProgress,
    applied: readonly AppliedObject[],
    before: BeforeWrite,
  ): void {
    const skipped = applied.filter(({ outcome }) => outcome === 'Skipped');
    if (skipped.length > 0) {
      const objects = listed(skipped.map(({ live }) => describeObject(live)));
      this.#of(stageSet).debug('left as they are', { stage, objects });
    }
    if (run.purpose !== 'Reassert') return;
    const drifted = applied.filter(
      ({ outcome }) => outcome !== 'Unchanged' && outcome !== 'Skipped',
    );
    if (drifted.length === 0) return;
    this.#metrics.driftCorrected(nameOf(stageSet), stage, drifted.length);
    const names = listed(drifted.map((object) => driftOf(object, before)));
    const note = `Corrected drift of ${drifted.length} object(s) in stage ${stage}: ${names}`;
    this.#events.record({
      regarding: stageSet,
      type: 'Warning',
      reason: 'DriftCorrected',
      note,
      annotations: eventAnnotations(stageSet, run),
    });
  }

  /** Objects that Helm would have run at a time of its own are applied like all others (part A 4.7). */
  helmHooksApplied(
    stageSet: StageSet,
    stage: string,
    revision: string,
    hooks: readonly KubernetesObject[],
  ): void {
    const names = listed(hooks.map((hook) => describeObject(hook)));
    const note =
      `Stage ${stage} applies ${hooks.length} Helm hook(s) of ${revision} like other objects, not ` +
      `at the times that Helm would; applyHelmHookResources: false leaves them out: ${names}`;
    this.#events.record({ regarding: stageSet, type: 'Warning', reason: 'HelmHooksApplied', note });
  }

  correctionStarted(stageSet: StageSet, { objects }: Correction): void {
    this.#of(stageSet).debug('correction started', { objects: objects.length });
  }

  /** Somebody writes against the release again and again; it waits now before it writes again. */
  contested(stageSet: StageSet, stage: string, contested: readonly Contested[]): void {
    if (contested.length === 0) return;
    const words = contested.map(
      ({ what, pause }) => `${what}, left alone for ${formatDuration(pause)}`,
    );
    const note =
      `Somebody keeps changing ${contested.length} object(s) of stage ${stage} back: ` +
      `${listed(words)}. Take the fields out of the release, or stop whoever writes them`;
    this.#events.record({ regarding: stageSet, type: 'Warning', reason: 'DriftContested', note });
    this.#of(stageSet).warn('drift is contested', { stage, objects: words.slice(0, shown) });
  }

  pruned(stageSet: StageSet, objects: number): void {
    if (objects === 0) return;
    this.#of(stageSet).info('pruned', { objects });
  }

  /** The StageRun could not be written; delivery goes on. */
  notRecorded(stageSet: StageSet, error: unknown): void {
    this.#of(stageSet).warn('the run could not be recorded', { error });
  }

  /** Inventories that were lost and rebuilt from labels, with the kinds that nobody could list. */
  reconstructed(stageSet: StageSet, rebuilt: ReadonlyMap<string, readonly string[]>): void {
    const stages = [...rebuilt.keys()];
    const gaps = [...rebuilt].filter(([, unlisted]) => unlisted.length > 0);
    const incomplete = gaps.map(([stage, kinds]) => `${stage} (could not list ${listed(kinds)})`);
    const note =
      `Reconstructed the lost inventory of stage(s) ${listed(stages)} from the labels of their ` +
      'objects; nothing was pruned in this pass' +
      (incomplete.length === 0 ? '' : `; incomplete: ${listed(incomplete)}`);
    this.#of(stageSet).warn('inventory reconstructed', {
      stages,
      incomplete: gaps.map(([stage]) => stage),
    });
    const reason = 'InventoryReconstructed';
    this.#events.record({ regarding: stageSet, type: 'Warning', reason, note });
  }

  /** Inventories were gone before a teardown, so that its objects were looked for by their labels. */
  swept(stageSet: StageSet, stages: readonly string[], unlisted: readonly string[]): void {
    this.#of(stageSet).warn('inventory reconstructed', { stages, unlisted, op: 'teardown' });
    const found =
      stages.length === 0 ? 'no object was found' : `found are stage(s) ${listed(stages)}`;
    const note =
      'Inventories are gone, so that the objects to delete were looked for by their labels: ' +
      `${found}${unlisted.length === 0 ? '' : `; could not list ${listed(unlisted)}`}`;
    const reason = 'InventoryReconstructed';
    this.#events.record({ regarding: stageSet, type: 'Warning', reason, note });
  }

  /** What a settled StageLedger has to tell (part A 7.6). */
  ledgerSettled(stageSet: StageSet, ledger: StageLedger, events: readonly LedgerEvent[]): void {
    for (const event of events) {
      if (event.kind === 'Adopted') this.#metrics.ledgerAdopted(nameOf(stageSet));
      if (event.kind === 'AnchorUnreadable') {
        this.#metrics.ledgerAnchorUnreadable(nameOf(stageSet));
      }
      const { reason, type, note } = ledgerRecord(event);
      const regarding = event.kind === 'BaselineInvalid' ? ledger : stageSet;
      this.#events.record({ regarding, type, reason, note });
      this.#of(stageSet).info('ledger settled', { reason, note });
    }
  }

  /** A new revision came, and the action has been done for the version that it still is. */
  actionSkipped(stageSet: StageSet, stage: string, action: string, version: string): void {
    const note =
      `Action ${action} of stage ${stage} was not done again for the new revision: its scope is ` +
      `Version, and it was done for version ${version}`;
    const reason = 'ActionSkipped';
    this.#events.record({ regarding: stageSet, type: 'Normal', reason, note });
  }

  /** An action of `onFailure` is over; `failure` says what went wrong with the action itself. */
  onFailureAction(
    stageSet: StageSet,
    stage: string,
    action: string,
    failure: string | undefined,
  ): void {
    const outcome = failure === undefined ? 'was done' : `failed: ${failure}`;
    const note = `onFailure action ${action} of stage ${stage} ${outcome}`;
    const reason = 'OnFailureAction';
    this.#events.record({ regarding: stageSet, type: 'Warning', reason, note });
  }

  /** A pre or post action was executed, well or not. */
  actionRun(stageSet: StageSet, scope: ActionScope): void {
    this.#metrics.actionRun(nameOf(stageSet), scope);
  }

  /** The end of a pass: a changed Ready is an event, every pass is counted once. */
  concluded(
    before: StageSet,
    after: StageSet,
    run: RunProgress | undefined,
    verdict: Verdict | undefined,
  ): void {
    const stages = new Set(after.status?.stages?.map(({ name }) => name));
    for (const { name } of before.status?.stages ?? []) {
      if (!stages.has(name)) this.#metrics.forgetStage(nameOf(after), name);
    }
    this.gates.settled(after);
    this.#gatesMoved(before, after, run);
    const ready = readyOf(after);
    if (ready === undefined || ready.reason === 'Progressing') return;
    if (verdict !== undefined) this.#metrics.reconciled(nameOf(after), ready.reason);
    const previous = readyOf(before);
    if (previous?.status === ready.status && previous.reason === ready.reason) return;
    if (isToldByGate(ready.reason)) return;
    this.#events.record({
      regarding: after,
      type: ready.status === 'True' ? 'Normal' : 'Warning',
      reason: ready.reason,
      note: ready.message,
      annotations: eventAnnotations(after, runBehind(run, ready.reason)),
    });
    this.#of(after).info('StageSet synced', {
      stages: run?.stages.length ?? 0,
      ready: ready.status,
      reason: ready.reason,
    });
  }

  /** What a gate keeps back is told once, when it begins to. */
  #gatesMoved(before: StageSet, after: StageSet, run: RunProgress | undefined): void {
    for (const event of gateEvents(before.status, after.status, run)) {
      if (event.reason === 'UpdateDeferred') this.#metrics.updateDeferred(nameOf(after));
      const annotations = eventAnnotations(after, run);
      this.#events.record({ regarding: after, annotations, ...event });
    }
  }

  /** The finalizer is gone; a forced drop is told once, after it happened (part A 2.10). */
  released(stageSet: StageSet, forced: ForcedTeardown | undefined): void {
    if (forced === undefined) return;
    const { cause, message } = forced;
    this.#metrics.teardownForced(nameOf(stageSet), cause);
    this.#of(stageSet).warn('finalizer dropped by force', { reason: cause, op: 'teardown' });
    const note = `Gave up the teardown (${cause}), objects may remain: ${message}`;
    this.#events.record({ regarding: stageSet, type: 'Warning', reason: 'TeardownForced', note });
  }

  forgotten(key: string): void {
    const [namespace = '', name = ''] = key.split('/');
    this.#metrics.forgetStageSet({ namespace, name });
  }

  #of(stageSet: StageSet): Logger {
    return this.#logger.with({ ...nameOf(stageSet) });
  }
}

function readyOf({
  status,
}: StageSet): NonNullable<NonNullable<StageSet['status']>['conditions']>[number] | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready');
}

function nameOf({ metadata }: StageSet): StageSetName {
  return { namespace: metadata.namespace ?? '', name: metadata.name };
}

/** An object that had to be corrected, in words. */
export function driftOf({ live }: AppliedObject, before: BeforeWrite): string {
  const id = identityOf(live);
  return describeDrift(before.has(id) ? before.get(id) : 'Unread', live, fieldManager);
}

const shown = 10;

function listed(names: readonly string[]): string {
  const rest = names.length - shown;
  const first = names.slice(0, shown).join(', ');
  return rest > 0 ? `${first} and ${rest} more` : first;
}

function scopeOfAct(stage: Stage | undefined, { hook, name }: ActionRecord): ActionScope {
  const action = actionsOf(stage, hook).find((each) => each.name === name);
  return action === undefined ? 'Revision' : scopeIn(hook, action);
}
