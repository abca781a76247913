import { previewDeletions } from '../apply/preview-deletions.ts';
import { buildStage } from '../controller/build-stage.ts';
import { failureOf, isInterruption, redactedFailure } from '../controller/failure.ts';
import { findOut, type VersionReader } from '../controller/found-out.ts';
import type { GateReaders } from '../controller/gate-answers.ts';
import { listInventories, type StoredInventory } from '../controller/inventory-store.ts';
import type { LedgerStore } from '../controller/ledger-store.ts';
import { emptyMemory, type StageSetMemory } from '../controller/memory.ts';
import { observeLedger } from '../controller/observe-ledger.ts';
import { ownerOf } from '../controller/owner.ts';
import type { BuildSteps } from '../controller/prepare-stage.ts';
import type { StageAt } from '../controller/stage-at.ts';
import type { Targets } from '../controller/targets.ts';
import type { Tenants } from '../controller/tenants.ts';
import { withMigrationsSupposed } from '../core/actions/migrations.ts';
import { plannedActions, supposedDone } from '../core/actions/plan-actions.ts';
import { decide, type Effect } from '../core/decide.ts';
import type { Failure } from '../core/failure.ts';
import { finalizer } from '../core/finalizer.ts';
import { lostStages } from '../core/inventory/lost.ts';
import { planPrune } from '../core/inventory/prune.ts';
import { plannedChange } from '../core/plan/planned-changes.ts';
import type { StageFindings } from '../core/plan/stage-plan.ts';
import type { Rest, Verdict } from '../core/rest.ts';
import { type RunProgress, withStage, withStep } from '../core/run.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Clock, Instant } from '../core/time.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { Hold } from '../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { InventoryEntry, Stage, StageSet } from '../types/stages.ts';
import { previewStage, type StagePreview } from './preview-stage.ts';

export interface RehearsalOptions {
  readonly client: KubernetesClient;
  readonly builder: BuildSteps;
  readonly tenants: Tenants;
  readonly targets: Targets;
  readonly ledgers: LedgerStore;
  readonly readers: GateReaders;
  readonly version: VersionReader;
  readonly clock: Clock;
  readonly stageSetExists: (namespace: string, name: string) => Promise<boolean>;
}

/** What is to be looked at in detail. */
export interface RehearsalScope {
  readonly stages: readonly string[] | undefined;
  readonly dryRun: 'All' | 'None';
}

/** What a run would come to. */
export interface Rehearsal {
  /** The run that would begin; undefined where it cannot even be told what it would be. */
  readonly run: RunProgress | undefined;
  /** What the Ready condition would say, once for each gate that keeps the run from beginning. */
  readonly rests: readonly Verdict[];
  readonly stages: readonly StageFindings[];
}

/** A run has fewer decisions than this for each of its stages. */
const mostDecisions = 12;

/** Milliseconds after which a plan does without a metric. */
const longestRead = 5000;

/**
 * Plays the next run through: each decision of the run, with a look at the cluster in place of each
 * effect. A gate that holds is noted and passed, so that a plan shows what comes behind it as well.
 *
 * @throws where the API server does not answer; what is wrong with a stage is a part of the result.
 */
export async function rehearse(
  snapshot: Snapshot,
  scope: RehearsalScope,
  options: RehearsalOptions,
  call: CallOptions,
): Promise<Rehearsal> {
  return await new Playthrough(snapshot, scope, options, call).play();
}

class Playthrough {
  #snapshot: Snapshot;
  readonly #scope: RehearsalScope;
  readonly #options: RehearsalOptions;
  readonly #call: CallOptions;
  readonly #memory: StageSetMemory;
  readonly #rests: Verdict[] = [];
  readonly #findings = new Map<string, StageFindings>();
  /** Gates before each stage. */
  readonly #entries = new Map<string, StageFindings['holds']>();
  readonly #gates = new Map<string, StageFindings['holds']>();
  readonly #actions = new Map<string, StageFindings['actions']>();

  constructor(
    snapshot: Snapshot,
    scope: RehearsalScope,
    options: RehearsalOptions,
    call: CallOptions,
  ) {
    this.#snapshot = snapshot;
    this.#scope = scope;
    this.#options = options;
    this.#call = call;
    this.#memory = emptyMemory(snapshot.stageSet.metadata.uid ?? '');
  }

  async play(): Promise<Rehearsal> {
    const { client } = this.#options;
    const { stageSet } = this.#snapshot;
    const inventories = await listInventories(client, stageSet, {}, this.#call);
    const most = mostDecisions * (this.#snapshot.spec.stages.length + 2);
    for (let decisions = 0; decisions < most; decisions += 1) {
      const { run, next } = decide(this.#snapshot);
      this.#snapshot = { ...this.#snapshot, run };
      if (next.kind === 'AddFinalizer') this.#addFinalizer();
      else if (next.kind === 'PrepareStage' && run !== undefined) {
        await this.#rehearseStage(run, next.stage);
      } else if (next.kind === 'EnterStage' && run !== undefined) {
        await this.#enterStage(run, next.stage);
      } else if (next.kind === 'Rest' && run?.outcome?.kind === 'Held') this.#passGates(run);
      else if (next.kind === 'Ask') await this.#find(next);
      else if (next.kind === 'Rest' && this.#passUnread(run)) continue;
      else if (next.kind === 'Rest' && run === undefined && this.#passHold(next)) continue;
      else {
        const wanted = run !== undefined || next.kind !== 'Rest';
        return await this.#end(run, wanted ? inventories : new Map());
      }
    }
    throw new Error('the plan of a run came to no end');
  }

  #addFinalizer(): void {
    const { stageSet } = this.#snapshot;
    const finalizers = [...(stageSet.metadata.finalizers ?? []), finalizer];
    const metadata = { ...stageSet.metadata, finalizers };
    this.#snapshot = { ...this.#snapshot, stageSet: { ...stageSet, metadata } };
  }

  /** Notes what keeps the run from beginning; false where nothing can be told of what is behind. */
  #passHold({ ready }: Rest): boolean {
    if (ready !== undefined) this.#rests.push(ready);
    const { spec } = this.#snapshot;
    if (ready?.reason === 'Suspended') return this.#suppose({ ...spec, suspend: false });
    if (ready?.reason === 'DependencyNotReady' || ready?.reason === 'Stalled') {
      return this.#suppose({ ...spec, dependsOn: [] });
    }
    if (ready?.reason === 'ActionDirty') {
      const { stageSet } = this.#snapshot;
      const status = { ...stageSet.status };
      delete status.haltedRun;
      this.#snapshot = { ...this.#snapshot, stageSet: { ...stageSet, status } };
      return true;
    }
    return false;
  }

  /** What gates must know is found out as the reconciler does, and waited for. */
  async #find({ asks, spec }: Extract<Effect, { kind: 'Ask' }>): Promise<void> {
    const { now, answers, versions, stageSet } = this.#snapshot;
    const found = await findOut(
      asks,
      { ...stageSet, spec },
      { ...this.#options, longestRead },
      this.#call,
    );
    this.#snapshot = {
      ...this.#snapshot,
      answers: new Map([...answers, ...stamped(found.gates, now)]),
      versions: new Map([...versions, ...stamped(found.versions, now)]),
    };
  }

  #suppose(spec: Snapshot['spec']): true {
    this.#snapshot = { ...this.#snapshot, spec };
    return true;
  }

  #passGates(run: RunProgress): void {
    const { outcome } = run;
    if (outcome?.kind !== 'Held') return;
    const index = run.stages.findIndex(({ name }) => name === outcome.stage);
    const { holds } = outcome.hold;
    if (run.stages[index]?.step.kind === 'Pending') {
      this.#passEntry(run, index, holds);
      return;
    }
    this.#gates.set(outcome.stage, holds);
    const passed = withStep(run, index, { kind: 'Ready' });
    this.#snapshot = { ...this.#snapshot, run: { ...passed, outcome: undefined } };
  }

  /** A gate that cannot be read tells nothing, and does not hide what is behind it. */
  #passUnread(run: RunProgress | undefined): boolean {
    const index = run?.stages.findIndex(({ step }) => step.kind !== 'Ready') ?? -1;
    if (run?.stages[index]?.step.kind !== 'AtGates') return false;
    this.#move(run, index, 'Ready');
    return true;
  }

  /** Notes what keeps the run from a stage, and has the gates behind it asked. */
  #passEntry(run: RunProgress, index: number, holds: readonly Hold[]): void {
    const { name = '', passed = [] } = run.stages[index] ?? {};
    this.#entries.set(name, [...(this.#entries.get(name) ?? []), ...holds]);
    const gates = [...passed, ...holds.map(({ gate }) => gate)];
    const moved = withStage(run, index, (stage) => ({ ...stage, passed: gates }));
    this.#snapshot = { ...this.#snapshot, run: { ...moved, outcome: undefined } };
  }

  /** Which actions it would do; behind them, the run is played on as if they were done. */
  async #enterStage(run: RunProgress, index: number): Promise<void> {
    const stage = run.spec.stages[index];
    if (stage === undefined) return;
    const at = { stageSet: this.#pinned(run), memory: this.#memory, run, index, stage };
    const ledger = await observeLedger(at, this.#options, this.#call);
    this.#actions.set(stage.name, plannedActions(stage, ledger));
    const supposed = withStage(run, index, (progress) => ({
      ...progress,
      ledger: supposedDone(stage, ledger),
    }));
    this.#snapshot = { ...this.#snapshot, run: withMigrationsSupposed(supposed, index) };
  }

  /** What a run does from building a stage to its gates. */
  async #rehearseStage(run: RunProgress, index: number): Promise<void> {
    const stage = run.spec.stages[index];
    if (stage === undefined) return;
    // Secrets that went into one stage are no reason to mask another.
    const memory = { ...this.#memory, secrets: new Set<string>() };
    const at = { stageSet: this.#pinned(run), memory, run, index, stage };
    try {
      const found = await this.#look(at);
      this.#findings.set(stage.name, { ...this.#bare(stage, run), ...found, failure: undefined });
      this.#move(run, index, 'AtGates');
    } catch (error) {
      this.#call.signal.throwIfAborted();
      if (isInterruption(error)) throw error;
      const failure = redactedFailure(failureOf('build', error), memory.secrets);
      const found = { changes: [], unchanged: 0, failure: toldFailure(failure) };
      this.#findings.set(stage.name, { ...this.#bare(stage, run), ...found });
      // It never comes to its gates.
      this.#move(run, index, 'Ready');
    }
  }

  async #look(at: StageAt): Promise<StagePreview> {
    const { memory, stage } = at;
    // There are few plans at once, of one stage at a time: what they hold is bounded by that.
    const prepared = await buildStage(at, this.#options, () => Promise.resolve(), this.#call);
    memory.desired.set(stage.name, prepared.entries);
    for (const [kind, scope] of prepared.defines) memory.defined.set(kind, scope);
    if (!this.#isWanted(stage.name)) return { changes: [], unchanged: 0 };
    const how = { ...this.#options, dryRun: this.#scope.dryRun };
    return await previewStage(at, prepared, how, this.#call);
  }

  #move(run: RunProgress, index: number, kind: 'AtGates' | 'Ready'): void {
    this.#snapshot = { ...this.#snapshot, run: withStep(run, index, { kind }) };
  }

  /** What a run would prune at its end, by the same plan. */
  async #end(
    run: RunProgress | undefined,
    inventories: ReadonlyMap<string, StoredInventory>,
  ): Promise<Rehearsal> {
    const { stageSet } = this.#snapshot;
    const deleting = stageSet.metadata.deletionTimestamp !== undefined;
    const stages = deleting ? [] : this.#snapshot.spec.stages;
    const lost = lostStages(stages, stageSet.status?.stages ?? [], inventories);
    const prunes = new Map<string, PlannedPrune>();
    const steps =
      lost.length > 0 ? [] : planPrune([...inventories.values()], this.#memory.desired, stages);
    for (const { stage, deletions } of steps) {
      if (!this.#isWanted(stage)) continue;
      prunes.set(stage, await this.#prunesOf(stage, deletions, run));
    }
    return { run, rests: this.#rests, stages: this.#together(run, stages, prunes) };
  }

  /** An account that may not look is a part of the plan: a list of plans must not end with it. */
  async #prunesOf(
    stage: string,
    deletions: readonly InventoryEntry[],
    run: RunProgress | undefined,
  ): Promise<PlannedPrune> {
    try {
      const { client } = await this.#options.targets.targetOf(this.#pinned(run), stage, this.#call);
      const owner = ownerOf(this.#snapshot.stageSet);
      const gone = await previewDeletions(deletions, owner, client, this.#call);
      return { changes: gone.map((object) => plannedChange('Prune', object)), failure: undefined };
    } catch (error) {
      this.#call.signal.throwIfAborted();
      if (isInterruption(error)) throw error;
      return { changes: [], failure: toldFailure(failureOf('prune', error)) };
    }
  }

  #together(
    run: RunProgress | undefined,
    stages: readonly Stage[],
    prunes: Map<string, PlannedPrune>,
  ): StageFindings[] {
    const last = stages.findLastIndex(({ name }) => this.#isWanted(name));
    // A gate or a failure ahead of a stage holds that one too, whether or not it was asked for.
    const found = stages.slice(0, last + 1).map((stage): StageFindings => {
      const known = this.#findings.get(stage.name) ?? {
        ...this.#bare(stage, run),
        changes: [],
        unchanged: 0,
        failure: undefined,
      };
      const prune = prunes.get(stage.name);
      prunes.delete(stage.name);
      const changes = [...known.changes, ...(prune?.changes ?? [])];
      const failure = known.failure ?? prune?.failure;
      const actions = this.#actions.get(stage.name) ?? [];
      const halted = actions.find(({ verdict }) => verdict === 'Halted');
      const trouble = failure ?? (halted && haltedFailure(halted));
      const holds = this.#gates.get(stage.name) ?? [];
      const entryHolds = this.#entries.get(stage.name) ?? [];
      return { ...known, changes, failure: trouble, entryHolds, holds, actions };
    });
    const removed = [...prunes].filter(
      ([, { changes, failure }]) => changes.length > 0 || failure !== undefined,
    );
    return [
      ...found,
      ...removed.map(([name, prune]): StageFindings => {
        const identity = this.#options.targets.describe(this.#pinned(run), name);
        const nothing = { currentRevision: undefined, revision: undefined };
        return {
          name,
          sourceRef: undefined,
          identity,
          ...nothing,
          ...prune,
          unchanged: 0,
          entryHolds: [],
          holds: [],
          actions: [],
        };
      }),
    ];
  }

  #bare(
    { name, sourceRef }: Stage,
    run: RunProgress | undefined,
  ): Omit<StageFindings, 'changes' | 'unchanged' | 'failure'> {
    const { stageSet, spec, sources } = this.#snapshot;
    const index = spec.stages.findIndex((stage) => stage.name === name);
    const source = sources[index];
    const offered = source?.kind === 'Ready' ? source.artifact.revision : undefined;
    const status = stageSet.status?.stages?.find((stage) => stage.name === name);
    const identity = this.#options.targets.describe(this.#pinned(run), name);
    return {
      name,
      sourceRef,
      identity,
      currentRevision: status?.appliedRevision,
      revision: run?.pinned[index]?.revision ?? offered,
      entryHolds: [],
      holds: [],
      actions: [],
    };
  }

  /** The StageSet with the spec that the run carries out. */
  #pinned(run: RunProgress | undefined): StageSet {
    const { stageSet, spec } = this.#snapshot;
    return { ...stageSet, spec: run?.spec ?? spec };
  }

  #isWanted(stage: string): boolean {
    return this.#scope.stages === undefined || this.#scope.stages.includes(stage);
  }
}

/** A plan may be about another time than this one. */
function stamped<Answer extends { readonly at: Instant }>(
  found: ReadonlyMap<string, Answer>,
  at: Instant,
): (readonly [string, Answer])[] {
  return [...found].map(([ask, answer]) => [ask, { ...answer, at }] as const);
}

/** What of a stage would be deleted at the end of a run, or why nobody can tell. */
type PlannedPrune = Pick<StageFindings, 'changes' | 'failure'>;

function haltedFailure({
  name,
  reason,
}: StageFindings['actions'][number]): StageFindings['failure'] {
  return { message: `action ${name} ${reason ?? 'is halted'}`, blame: 'World' };
}

function toldFailure({ reason, message }: Failure): StageFindings['failure'] {
  return { message, blame: reason === 'InvalidSpec' ? 'Spec' : 'World' };
}
