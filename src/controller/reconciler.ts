import { fieldManager } from '../apply/field-manager.ts';
import { type Decision, decide, type Effect, underWay } from '../core/decide.ts';
import { finalizer } from '../core/finalizer.ts';
import { referenceTo } from '../core/objects/identity.ts';
import type { Rest, Verdict } from '../core/rest.ts';
import { type RunProgress, withStep } from '../core/run.ts';
import type { RunSettings } from '../core/settings.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { type InventorySize, nextStatus } from '../core/status.ts';
import { between, type Clock, type Instant, milliseconds } from '../core/time.ts';
import { specProblems } from '../core/validate/spec.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { withoutManagedFields } from '../kubernetes/store.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { StageSet } from '../types/stages.ts';
import { failureOf, isInterruption } from './failure.ts';
import type { InventoryStore } from './inventory-store.ts';
import { distrustInventories, forgetRun, Memories, type StageSetMemory } from './memory.ts';
import { newest } from './newest.ts';
import { prune } from './prune-effect.ts';
import type { Reporter } from './reporter.ts';
import type { Sources } from './sources.ts';
import type { StageAt, StageEffects } from './stage-effects.ts';
import type { StageSets } from './stage-sets.ts';
import type { StatusWriter } from './status-writer.ts';
import type { TeardownEffects } from './teardown-effects.ts';
import type { Tenants } from './tenants.ts';

export interface ReconcilerOptions {
  readonly client: KubernetesClient;
  readonly stageSets: StageSets;
  readonly sources: Sources;
  readonly stages: StageEffects;
  readonly teardown: TeardownEffects;
  readonly tenants: Tenants;
  readonly inventories: InventoryStore;
  readonly statuses: StatusWriter;
  readonly reporter: Reporter;
  readonly settings: RunSettings;
  readonly runbookBase: string;
  readonly clock: Clock;
}

/** A run that takes longer than this shows how far it is; a quicker one needs no writes for that. */
const progressEvery = milliseconds(500);

/** So many passes in a row without an answer of the server are told to the user. */
const patience = 5;

/**
 * One pass over a StageSet: take the snapshot, ask for the decision, carry out its one effect,
 * record it, and ask again, until there is nothing to do now.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #memories = new Memories();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /**
   * Returns when to look again; undefined when only an event can bring news. It ends between two
   * effects when `stop` fires, and in the middle of one when `call` does.
   */
  async reconcile(key: string, stop: AbortSignal, call: CallOptions): Promise<Instant | undefined> {
    for (;;) {
      stop.throwIfAborted();
      const observed = this.#options.stageSets.get(key);
      if (observed === undefined) {
        this.#forget(key);
        return undefined;
      }
      const memory = this.#memories.of(key, observed.value.metadata.uid ?? '');
      const stageSet = newest(memory.stageSet, observed.value);
      memory.stageSet = stageSet;
      const snapshot = await this.#look(stageSet, observed.problems, memory, call);
      const decision = decide(snapshot);
      this.#adopt(decision, snapshot, memory);
      if (decision.next.kind === 'Rest') {
        await this.#publish(stageSet, memory, decision.next.ready, call);
        return decision.next.wakeAt;
      }
      await this.#publishProgress(stageSet, memory, call);
      await this.#carryOut(decision.next, stageSet, memory, call);
    }
  }

  /** Asks for a re-assertion at the next pass although nothing of the snapshot is new. */
  requestReassertion(key: string): void {
    const memory = this.#memories.peek(key);
    if (memory === undefined) return;
    memory.reassert = true;
    distrustInventories(memory);
  }

  async #look(
    stageSet: StageSet,
    problems: Snapshot['problems'],
    memory: StageSetMemory,
    call: CallOptions,
  ): Promise<Snapshot> {
    const { clock, settings, sources } = this.#options;
    const spec = stageSet.spec ?? { stages: [] };
    const deleting = stageSet.metadata.deletionTimestamp !== undefined;
    return {
      now: clock(),
      settings,
      stageSet,
      spec,
      problems: problems.length > 0 ? problems : specProblems(spec),
      sources: deleting || spec.suspend === true ? [] : await sources.observe(stageSet, call),
      run: memory.run,
      reassert: memory.reassert,
      teardown: memory.teardown,
    };
  }

  /** Takes over what the decision says about the run; a run that began or ended has its own news. */
  #adopt(decision: Decision, { stageSet, now }: Snapshot, memory: StageSetMemory): void {
    const before = memory.run;
    memory.run = decision.run;
    if (decision.teardown !== undefined) memory.teardown = decision.teardown;
    const { run } = decision;
    if (run === undefined) {
      forgetRun(memory);
      return;
    }
    if (run.startedAt !== before?.startedAt || run.id !== before.id) {
      forgetRun(memory);
      memory.reassert = false;
      memory.publishedAt = now;
      this.#options.reporter.runStarted(stageSet, run);
    }
    this.#options.reporter.stagesMoved(stageSet, before, run);
    if (run.outcome !== undefined && before?.outcome === undefined) memory.prepared.clear();
  }

  async #carryOut(
    effect: Exclude<Effect, Rest>,
    stageSet: StageSet,
    memory: StageSetMemory,
    call: CallOptions,
  ): Promise<void> {
    const { teardown } = this.#options;
    switch (effect.kind) {
      case 'AddFinalizer':
        memory.stageSet = await this.#addFinalizer(stageSet, call);
        return;
      case 'PrepareStage':
      case 'ApplyGroup':
      case 'LookForDeleted':
      case 'LookAtHealth':
        await this.#stageEffect(effect, stageSet, memory, call);
        return;
      case 'Prune':
        await this.#prune(stageSet, memory, call);
        return;
      case 'LoadTeardown':
        memory.teardown = await teardown.load(
          stageSet,
          memory.teardown,
          memory.inventories ?? memory.remembered,
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

  async #addFinalizer(stageSet: StageSet, call: CallOptions): Promise<StageSet> {
    const { uid, resourceVersion, finalizers = [] } = stageSet.metadata;
    // With the resourceVersion, so that a finalizer which somebody else just added is not lost.
    const body = { metadata: { uid, resourceVersion, finalizers: [...finalizers, finalizer] } };
    const patch = { type: 'Merge', body, fieldManager } as const;
    const stored = await this.#options.client.patch(referenceTo(stageSet), patch, call);
    return { ...stageSet, metadata: withoutManagedFields(stored).metadata };
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
    await this.#attempt(operationOf[effect.kind], at, call, async () => {
      memory.run = await this.#stageWork(effect.kind, at, call);
    });
  }

  async #stageWork(kind: StageEffectKind, at: StageAt, call: CallOptions): Promise<RunProgress> {
    const { stages } = this.#options;
    const step = at.run.stages[at.index]?.step;
    if (kind === 'PrepareStage') {
      const prepared = await stages.build(at, call);
      return await stages.recordAhead(at, prepared, call);
    }
    if (step?.kind === 'Applying') return await stages.apply(at, step, call);
    if (step?.kind === 'Recreating') return await stages.lookForDeleted(at, step, call);
    if (step?.kind === 'Establishing' || step?.kind === 'Verifying') {
      return await stages.look(at, step, call);
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
      memory.interruptions = 0;
    } catch (error) {
      call.signal.throwIfAborted();
      this.#giveUpWhenInterrupted(error, memory);
      const failure = failureOf(operation, error);
      this.#options.reporter.stageFailed(at.stageSet, at.stage.name, failure, error);
      memory.run = withStep(run, index, { kind: 'Failed', failure });
    }
  }

  async #prune(stageSet: StageSet, memory: StageSetMemory, call: CallOptions): Promise<void> {
    const { clock, reporter, stages } = this.#options;
    const { run } = memory;
    if (run === undefined) return;
    try {
      const stored = await stages.storedInventories(stageSet, memory, call);
      const input = { stageSet: { ...stageSet, spec: run.spec }, stored, desired: memory.desired };
      const gone = await prune(input, this.#options, call);
      reporter.pruned(stageSet, gone);
      memory.run = { ...run, prune: 'Done' };
    } catch (error) {
      call.signal.throwIfAborted();
      this.#giveUpWhenInterrupted(error, memory);
      // What a failed write left behind is not known.
      distrustInventories(memory);
      const failure = failureOf('prune', error);
      memory.run = { ...run, outcome: { kind: 'Failed', at: clock(), failure } };
    }
  }

  /** @throws the error again, to end the pass, while the server's silence is still no news. */
  #giveUpWhenInterrupted(error: unknown, memory: StageSetMemory): void {
    if (!isInterruption(error)) return;
    memory.interruptions += 1;
    if (memory.interruptions < patience) throw error;
  }

  async #publishProgress(
    stageSet: StageSet,
    memory: StageSetMemory,
    call: CallOptions,
  ): Promise<void> {
    const { run } = memory;
    if (run === undefined || run.outcome !== undefined) return;
    if (between(memory.publishedAt, this.#options.clock()) < progressEvery) return;
    await this.#publish(stageSet, memory, underWay(run), call);
  }

  async #publish(
    stageSet: StageSet,
    memory: StageSetMemory,
    verdict: Verdict | undefined,
    call: CallOptions,
  ): Promise<void> {
    const { clock, runbookBase, statuses, reporter } = this.#options;
    const { run } = memory;
    const now = clock();
    // A short wait inside a run that has only just begun is not worth a write yet.
    const young = run?.outcome === undefined && between(memory.publishedAt, now) < progressEvery;
    if (run !== undefined && young && verdict?.status === 'Unknown') return;
    const inventories = sizesOf(memory);
    const status = nextStatus({ stageSet, run, verdict, inventories, runbookBase, now });
    memory.stageSet = await statuses.write(stageSet, status, call);
    memory.publishedAt = now;
    reporter.concluded(stageSet, memory.stageSet, run, verdict);
  }

  #forget(key: string): void {
    if (this.#memories.peek(key) === undefined) return;
    this.#memories.forget(key);
    this.#options.reporter.forgotten(key);
  }
}

type StageEffectKind = 'PrepareStage' | 'ApplyGroup' | 'LookForDeleted' | 'LookAtHealth';

/** The `op` values of part B 9.4; a preparing stage names its own. */
const operationOf = {
  PrepareStage: 'build',
  ApplyGroup: 'apply',
  LookForDeleted: 'apply',
  LookAtHealth: 'verify',
} as const;

function withoutFinalizer(stageSet: StageSet): StageSet {
  const finalizers = (stageSet.metadata.finalizers ?? []).filter((held) => held !== finalizer);
  return { ...stageSet, metadata: { ...stageSet.metadata, finalizers } };
}

function sizesOf({ inventories }: StageSetMemory): Map<string, InventorySize> {
  const sizes = new Map<string, InventorySize>();
  for (const [stage, { entries, shards }] of inventories ?? []) {
    sizes.set(stage, { entries: entries.length, shards: shards.length });
  }
  return sizes;
}
