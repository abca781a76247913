import { clusterReferenceOf } from '../core/clusters/cluster-reference.ts';
import { type Decision, decide, type Effect } from '../core/decide.ts';
import type { Rest } from '../core/rest.ts';
import { isPromotedByHand, type RunProgress, withStep } from '../core/run.ts';
import { underWay } from '../core/run-verdict.ts';
import type { RunSettings } from '../core/settings.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { type Clock, type Instant, instant } from '../core/time.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { storeKey } from '../kubernetes/store.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { StageSet } from '../types/stages.ts';
import type { ActionEffects } from './action-effects.ts';
import type { AskedDependencies, Dependencies } from './dependencies.ts';
import type { DriftWatch } from './drift-watch.ts';
import { failureOf, redactedFailure, sayable } from './failure.ts';
import { addFinalizer, withoutFinalizer } from './finalizer-effect.ts';
import type { GateAsks } from './gate-asks.ts';
import { throwInterruption } from './interruption.ts';
import { InventoryBudget } from './inventory-budget.ts';
import type { InventoryStore } from './inventory-store.ts';
import {
  distrustInventories,
  forgetRun,
  Memories,
  publishSoon,
  type StageSetMemory,
  together,
} from './memory.ts';
import { newest } from './newest.ts';
import { pruneRun } from './prune-run.ts';
import { RemoteWork } from './remote-work.ts';
import type { Reporter } from './reporter.ts';
import type { RunRecorder } from './run-recorder.ts';
import type { Sources } from './sources.ts';
import type { StageAt } from './stage-at.ts';
import { StageBuilds } from './stage-builds.ts';
import { isActionKind, operationOf, type StageEffectKind } from './stage-effect-kinds.ts';
import type { StageEffects } from './stage-effects.ts';
import type { StageSets } from './stage-sets.ts';
import type { StatusPublisher } from './status-publisher.ts';
import { takeSnapshot } from './take-snapshot.ts';
import type { Targets } from './targets.ts';
import type { TeardownEffects } from './teardown-effects.ts';
import type { Tenants } from './tenants.ts';

export interface ReconcilerOptions {
  readonly client: KubernetesClient;
  readonly stageSets: StageSets;
  readonly dependencies: Dependencies;
  readonly sources: Sources;
  readonly stages: StageEffects;
  readonly actions: ActionEffects;
  readonly asks: GateAsks;
  readonly teardown: TeardownEffects;
  readonly tenants: Tenants;
  readonly targets: Targets;
  readonly inventories: InventoryStore;
  readonly drift: DriftWatch;
  readonly publisher: StatusPublisher;
  readonly recorder: RunRecorder;
  readonly reporter: Reporter;
  readonly settings: RunSettings;
  readonly clock: Clock;
  /** Told of a StageSet whose work in the background has ended. */
  readonly onNews: (key: string) => void;
}

/** When the next pass is due: at a time, after a backoff, or on news only. */
export type NextPass = Instant | 'Backoff' | undefined;

/** Far more than a run with many stages has effects. */
const mostDecisions = 2000;

/**
 * One pass over a StageSet: take the snapshot, ask for the decision, carry out its one effect,
 * record it, and ask again, until there is nothing to do now.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #memories = new Memories();
  readonly #inventoryBudget = new InventoryBudget();
  readonly #builds: StageBuilds;
  readonly #remote: RemoteWork;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    const { stages, onNews } = options;
    this.#remote = new RemoteWork(onNews);
    this.#builds = new StageBuilds({
      build: async (at, permit, call) => await stages.build(at, permit, call),
      onNews,
    });
  }

  /**
   * Returns when to look again; undefined when only an event can bring news. It ends between two
   * effects when `stop` fires, and in the middle of one when `call` does.
   */
  async reconcile(key: string, stop: AbortSignal, call: CallOptions): Promise<NextPass> {
    const asked: AskedDependencies = new Map();
    for (let decisions = 0; ; decisions += 1) {
      stop.throwIfAborted();
      // Others wait for the worker.
      if (decisions >= mostDecisions) return this.#options.clock();
      const observed = this.#options.stageSets.get(key);
      if (observed === undefined) {
        this.#forget(key);
        return undefined;
      }
      if (this.#remote.isUnderWay(key)) return undefined;
      if (decisions === 0) this.#memories.distrustValidations(key);
      const memory = this.#memories.of(key, observed.value.metadata.uid ?? '');
      const stageSet = newest(memory.stageSet, observed.value);
      memory.stageSet = stageSet;
      const sight = { key, stageSet, problems: observed.problems, memory, asked };
      const snapshot = await takeSnapshot(sight, this.#options, call);
      const decision = decide(snapshot);
      this.#adopt(decision, snapshot, memory);
      if (decision.next.kind === 'Rest') {
        const { ready, wakeAt, retry } = decision.next;
        // First, so that whoever waits for Ready finds the run on record.
        await this.#options.recorder.atRest(stageSet, memory, ready, call);
        const due = await this.#options.publisher.publish(stageSet, memory, ready, call);
        this.#inventoryBudget.settle(key, memory);
        if (retry !== undefined) return retry;
        return due === undefined || (wakeAt !== undefined && wakeAt < due) ? wakeAt : due;
      }
      await this.#options.recorder.beforeEffect(stageSet, memory, call);
      await this.#options.publisher.publishProgress(stageSet, memory, call);
      await this.#begin(decision.next, stageSet, memory, call);
    }
  }

  /** Waits until nothing is done on remote clusters any more. */
  async settled(): Promise<void> {
    await this.#remote.settled();
  }

  /** Asks for a re-assertion at the next pass although nothing is new. */
  requestReassertion(key: string): void {
    const memory = this.#memories.peek(key);
    if (memory === undefined) return;
    memory.reassert = true;
    distrustInventories(memory);
  }

  /** The run under way or the one that ended last. */
  runOf(key: string): RunProgress | undefined {
    return this.#memories.peek(key)?.run;
  }

  /** Takes over what the decision says about the run; a run that began or ended has its own news. */
  #adopt(decision: Decision, { stageSet, now }: Snapshot, memory: StageSetMemory): void {
    const before = memory.run;
    const { drift } = this.#options;
    memory.run = decision.run;
    if (decision.teardown !== undefined) memory.teardown = decision.teardown;
    const { run } = decision;
    if (run === undefined) {
      this.#tellRebuilt(stageSet, memory);
      if (!isFindingOut(decision.next)) forgetRun(memory);
      return;
    }
    if (run.startedAt !== before?.startedAt || run.id !== before.id) {
      this.#tellRebuilt(stageSet, memory);
      forgetRun(memory);
      memory.reassert = false;
      memory.publishedAt = now;
      this.#options.reporter.runStarted(stageSet, run);
      drift.runStarted(keyOf(stageSet), stageNamesOf(run));
    }
    if (run.correction !== undefined && run.correction !== before?.correction) {
      this.#options.reporter.correctionStarted(stageSet, run.correction);
      drift.correctionStarted(keyOf(stageSet), run.correction.objects);
    }
    this.#options.reporter.stagesMoved(stageSet, before, run);
    this.#options.reporter.gates.moved(stageSet, before, run);
    this.#options.reporter.actionsMoved(stageSet, before, run);
    if (isPromotedByHand(before, run)) publishSoon(memory);
    if (run.outcome === undefined) return;
    this.#tellRebuilt(stageSet, memory);
    if (before?.outcome !== undefined) return;
    memory.prepared.clear();
    memory.desired.clear();
    memory.secrets.clear();
  }

  /** Once, at the end of the run: by then all its stages are known. */
  #tellRebuilt(stageSet: StageSet, memory: StageSetMemory): void {
    if (memory.rebuilt.size === 0) return;
    this.#options.reporter.reconstructed(stageSet, memory.rebuilt);
    memory.rebuilt.clear();
  }

  /** Carries the effect out; one on a remote cluster may still go on when this ends. */
  async #begin(
    effect: Exclude<Effect, Rest>,
    stageSet: StageSet,
    memory: StageSetMemory,
    call: CallOptions,
  ): Promise<void> {
    const spec = memory.run?.spec ?? stageSet.spec;
    const local = effect.kind === 'AddFinalizer' || effect.kind === 'ReleaseFinalizer';
    const work = async (limits: CallOptions): Promise<void> =>
      await this.#carryOut(effect, stageSet, memory, limits);
    if (local || clusterReferenceOf(spec) === undefined) await work(call);
    else await this.#remote.begin(keyOf(stageSet), work, call);
  }

  async #carryOut(
    effect: Exclude<Effect, Rest>,
    stageSet: StageSet,
    memory: StageSetMemory,
    call: CallOptions,
  ): Promise<void> {
    const { teardown, drift } = this.#options;
    switch (effect.kind) {
      case 'AddFinalizer':
        memory.stageSet = await addFinalizer(this.#options.client, stageSet, call);
        return;
      case 'PrepareStage':
      case 'ApplyGroup':
      case 'LookForDeleted':
      case 'LookAtHealth':
      case 'EnterStage':
      case 'RunAction':
      case 'LookAtAction':
      case 'RecordAction':
      case 'CleanUpAction':
        await this.#stageEffect(effect, stageSet, memory, call);
        return;
      case 'Ask':
        await this.#options.asks.take(
          effect.asks,
          { ...stageSet, spec: effect.spec },
          memory,
          call,
        );
        return;
      case 'SaveLedgers':
        await this.#saveLedgers(stageSet, memory, call);
        return;
      case 'Prune':
        await this.#prune(stageSet, memory, call);
        return;
      case 'LoadTeardown':
        drift.release(keyOf(stageSet));
        await this.#options.actions.removeUnfinished(stageSet, memory, call);
        memory.teardown = await teardown.load(
          stageSet,
          memory.teardown,
          together(memory.inventories ?? new Map(), memory.remembered),
          call,
        );
        return;
      case 'DeleteStage':
        if (memory.teardown === undefined) return;
        memory.teardown = await teardown.deleteStage(stageSet, memory.teardown, effect.stage, call);
        return;
      case 'LookForGone':
        if (memory.teardown === undefined) return;
        memory.teardown = await teardown.lookForGone(stageSet, memory.teardown, effect.stage, call);
        return;
      case 'ReleaseFinalizer':
        await teardown.releaseFinalizer(stageSet, call);
        memory.stageSet = withoutFinalizer(stageSet);
        this.#options.reporter.released(stageSet, effect.forced);
        return;
    }
  }

  async #stageEffect(
    effect: Extract<Effect, { kind: StageEffectKind }>,
    stageSet: StageSet,
    memory: StageSetMemory,
    call: CallOptions,
  ): Promise<void> {
    const { run } = memory;
    const stage = run?.spec.stages[effect.stage];
    if (run === undefined || stage === undefined) return;
    const pinned = { ...stageSet, spec: run.spec };
    const at: StageAt = { stageSet: pinned, memory, run, index: effect.stage, stage };
    const operation = operationOf(effect.kind, run, effect.stage);
    await this.#options.publisher.inSight(stageSet, memory, call, async () => {
      await this.#attempt(operation, at, call, async () => {
        memory.run = await this.#stageWork(effect.kind, at, call);
      });
    });
  }

  async #stageWork(kind: StageEffectKind, at: StageAt, call: CallOptions): Promise<RunProgress> {
    const { stages, actions } = this.#options;
    const step = at.run.stages[at.index]?.step;
    if (isActionKind(kind)) return await actions.carryOut(kind, at, call);
    if (kind === 'PrepareStage') {
      const prepared = await this.#builds.take(at, call);
      if (prepared === undefined) return at.run;
      // What is to be corrected was recorded when it was rolled out.
      if (at.run.correction !== undefined) return await stages.narrow(at, prepared, call);
      return await stages.recordAhead(at, prepared, call);
    }
    if (step?.kind === 'Applying') return await stages.apply(at, step, call);
    if (step?.kind === 'Recreating') return await stages.lookForDeleted(at, step, call);
    if (step?.kind === 'Establishing' || step?.kind === 'Verifying') {
      this.#options.drift.takeNews(keyOf(at.stageSet));
      const looked = await stages.look(at, step, call);
      at.memory.lookedAt = this.#options.clock();
      return looked;
    }
    return at.run;
  }

  /** Runs one operation of a stage; what it throws becomes the failure of that stage. */
  async #attempt(
    operation: string,
    at: StageAt,
    call: CallOptions,
    work: () => Promise<void>,
  ): Promise<void> {
    const { memory, run, index } = at;
    try {
      await work();
      // A build that was only begun proves nothing.
      if (memory.run !== run) memory.interruptions = 0;
    } catch (error) {
      call.signal.throwIfAborted();
      await throwInterruption(error, memory, this.#options.client, call);
      const acted = this.#options.actions.unanswered(at, error);
      if (acted !== undefined) {
        memory.run = acted;
        return;
      }
      const failure = redactedFailure(failureOf(operation, error), memory.secrets);
      const said = sayable(error, failure, memory.secrets);
      this.#options.reporter.stageFailed(at.stageSet, at.stage.name, failure, said);
      memory.run = withStep(run, index, { kind: 'Failed', failure });
    }
  }

  /** What is done is in the status before anything else begins: a crash must not do it again. */
  async #saveLedgers(stageSet: StageSet, memory: StageSetMemory, call: CallOptions): Promise<void> {
    const { run } = memory;
    if (run === undefined) return;
    // However young the run is; its StageRun can wait.
    memory.publishedAt = instant(0);
    await this.#options.publisher.publish(stageSet, memory, underWay(run), call);
    memory.run = { ...run, unsaved: false };
  }

  async #prune(stageSet: StageSet, memory: StageSetMemory, call: CallOptions): Promise<void> {
    const { run } = memory;
    if (run === undefined) return;
    try {
      await pruneRun({ stageSet, memory, run }, this.#options, call);
      memory.run = { ...run, prune: 'Done' };
    } catch (error) {
      call.signal.throwIfAborted();
      await throwInterruption(error, memory, this.#options.client, call);
      // What a failed write left behind is not known.
      distrustInventories(memory);
      const failure = failureOf('prune', error);
      memory.run = { ...run, outcome: { kind: 'Failed', at: this.#options.clock(), failure } };
    }
  }

  #forget(key: string): void {
    const known = this.#memories.peek(key);
    if (known === undefined) return;
    const { tenants, stageSets } = this.#options;
    const gone = known.stageSet;
    if (gone !== undefined) tenants.release(gone, (account) => stageSets.useAccount(account));
    this.#remote.abandon(key);
    this.#memories.forget(key);
    this.#inventoryBudget.forget(key);
    this.#options.actions.release(key);
    this.#options.drift.release(key);
    this.#options.reporter.forgotten(key);
  }
}

/** What is found out ahead of a run belongs to no run that could be forgotten. */
function isFindingOut(next: Effect): boolean {
  return next.kind === 'Ask' || (next.kind === 'Rest' && next.awaitsAnswer === true);
}

function keyOf({ metadata }: StageSet): string {
  return storeKey(metadata.namespace, metadata.name);
}

function stageNamesOf({ stages }: RunProgress): string[] {
  return stages.map(({ name }) => name);
}
