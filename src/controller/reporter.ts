import type { AppliedObject } from '../apply/applied-object.ts';
import { describeObject } from '../core/objects/identity.ts';
import type { Verdict } from '../core/rest.ts';
import type { Failure, RunProgress } from '../core/run.ts';
import type { ForcedTeardown } from '../core/teardown-progress.ts';
import type { EventRecorder } from '../kubernetes/events.ts';
import type { Logger } from '../types/log.ts';
import type { ControllerMetrics, StageSetName } from '../types/metrics.ts';
import type { InventoryEntry, StageSet } from '../types/stages.ts';
import { OperationError } from './failure.ts';

/** Tells people and machines what happened: events, metrics and logs, and nothing else. */
export class Reporter {
  readonly #events: EventRecorder;
  readonly #metrics: ControllerMetrics;
  readonly #logger: Logger;

  constructor(events: EventRecorder, metrics: ControllerMetrics, logger: Logger) {
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
    for (const [index, { name, step }] of run.stages.entries()) {
      const previous = before?.startedAt === run.startedAt ? before.stages[index]?.step : undefined;
      if (previous?.kind === step.kind) continue;
      const owner = nameOf(stageSet);
      if (step.kind === 'Ready') {
        this.#metrics.stageApplied(owner, name);
        this.#metrics.setStageReadiness(owner, name, 'Ready');
      } else if (step.kind === 'Failed' || run.purpose !== 'Reassert') {
        this.#metrics.setStageReadiness(owner, name, 'NotReady');
      }
    }
  }

  stageFailed(stageSet: StageSet, stage: string, failure: Failure, error: unknown): void {
    const terminal = failure.retry !== 'Backoff';
    const cause = error instanceof OperationError ? error.cause : error;
    const fields = { stage, op: failure.operation, terminal, error: cause };
    this.#of(stageSet).warn('stage failed', fields);
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
    const names = listed(drifted.map(({ live }) => describeObject(live)));
    const note = `Corrected drift of ${drifted.length} object(s) in stage ${stage}: ${names}`;
    this.#events.record({ regarding: stageSet, type: 'Warning', reason: 'DriftCorrected', note });
  }

  pruned(stageSet: StageSet, entries: readonly InventoryEntry[]): void {
    if (entries.length === 0) return;
    this.#of(stageSet).info('pruned', { objects: entries.length });
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
    const ready = readyOf(after);
    if (ready === undefined || ready.reason === 'Progressing') return;
    if (verdict !== undefined) this.#metrics.reconciled(nameOf(after), ready.reason);
    const previous = readyOf(before);
    if (previous?.status === ready.status && previous.reason === ready.reason) return;
    this.#events.record({
      regarding: after,
      type: ready.status === 'True' ? 'Normal' : 'Warning',
      reason: ready.reason,
      note: ready.message,
    });
    this.#of(after).info('StageSet synced', {
      stages: run?.stages.length ?? 0,
      ready: ready.status,
      reason: ready.reason,
    });
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

const shown = 10;

function listed(names: readonly string[]): string {
  const rest = names.length - shown;
  const first = names.slice(0, shown).join(', ');
  return rest > 0 ? `${first} and ${rest} more` : first;
}
