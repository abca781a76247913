import type { AppliedMemory } from '../apply/applied-memory.ts';
import type { AppliedObject } from '../apply/applied-object.ts';
import { type ValidatedGroup, validateGroup, writeGroup } from '../apply/apply-group.ts';
import type { ApplyTarget } from '../apply/apply-target.ts';
import type { ExpressionEvaluator } from '../apply/expression-evaluator.ts';
import { healthOfApplied } from '../apply/look-at-health.ts';
import type { Follower, OwnedKind } from '../apply/owned-watches.ts';
import { type BeforeWrite, readEach, readTouched } from '../apply/read-before.ts';
import { clusterFailed } from '../core/clusters/cluster-error.ts';
import type { AwaitedHealth } from '../core/health/awaited.ts';
import { healthNeedsRead } from '../core/health/status.ts';
import { union } from '../core/inventory/sets.ts';
import type { StageSetExists } from '../core/objects/foreign-owner.ts';
import { identityOf, sameObject } from '../core/objects/identity.ts';
import { othersBuildOn } from '../core/objects/order.ts';
import {
  type Applying,
  type ChangeCounts,
  type Recreating,
  type RunProgress,
  type StageStep,
  type Wait,
  withChanges,
  withStep,
} from '../core/run.ts';
import { establishBound } from '../core/schedule.ts';
import type { RunSettings } from '../core/settings.ts';
import { after, between, type Clock, milliseconds } from '../core/time.ts';
import { beginWait, minutesPassed } from '../core/waits.ts';
import { isNoKindMatch } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { storeKey } from '../kubernetes/store.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { InventoryEntry, StageSet } from '../types/stages.ts';
import { buildStage } from './build-stage.ts';
import { recordCorrections } from './correction-report.ts';
import type { DriftWatch } from './drift-watch.ts';
import { causedBy, during, OperationError } from './failure.ts';
import type { InventoryStore, StoredInventory } from './inventory-store.ts';
import {
  distrustInventories,
  foundAgain,
  type StageSetMemory,
  trustInventories,
  type ValidatedStage,
} from './memory.ts';
import { scopeOf, selectorOf } from './owner.ts';
import type { BuildSteps, PreparedStage } from './prepare-stage.ts';
import { rebuildInventory } from './rebuild-inventory.ts';
import { rememberApplied } from './recorded-changes.ts';
import { lookForDeleted, replace } from './recreate-stage.ts';
import { rememberRendered, reportApplied, tellOfHelmHooks } from './rendered-stage.ts';
import type { Reporter } from './reporter.ts';
import type { StageAt } from './stage-at.ts';
import type { Targets } from './targets.ts';
import type { Tenant, Tenants } from './tenants.ts';
import { beginVerifying, lookAgain } from './verify-stage.ts';

export interface StageEffectsOptions {
  readonly builder: BuildSteps;
  readonly tenants: Tenants;
  readonly targets: Targets;
  readonly inventories: InventoryStore;
  readonly applied: AppliedMemory;
  readonly expressions: ExpressionEvaluator;
  readonly drift: DriftWatch;
  readonly settings: RunSettings;
  readonly stageSetExists: StageSetExists;
  readonly clock: Clock;
  readonly reporter: Reporter;
}

/**
 * Carries out what was decided for one stage. Each method does one thing and returns the run as it
 * stands then; what it throws is the failure of the stage.
 */
export class StageEffects {
  readonly #options: StageEffectsOptions;

  constructor(options: StageEffectsOptions) {
    this.#options = options;
  }

  /** Builds the stage, and tells what is noteworthy about what came of it. */
  async build(at: StageAt, permit: () => Promise<void>, call: CallOptions): Promise<PreparedStage> {
    const prepared = await buildStage(at, this.#options, permit, call);
    const { reporter } = this.#options;
    if (prepared.warnings.length > 0)
      reporter.warned(at.stageSet, at.stage.name, prepared.warnings);
    tellOfHelmHooks(at, at.run.pinned[at.index]?.revision ?? '', prepared, reporter);
    return prepared;
  }

  /**
   * Writes down the union of what the stage had and what it will have, ahead of the apply, and lets
   * the server validate the first group meanwhile, which changes nothing.
   */
  async recordAhead(at: StageAt, prepared: PreparedStage, call: CallOptions): Promise<RunProgress> {
    const { memory, run, index, stage } = at;
    const tenant = await this.#tenantOf(at, call);
    const target = this.#target(at, tenant);
    const [recorded, validated] = await Promise.allSettled([
      this.#record(at, prepared, tenant, call),
      validateGroup(prepared.groups[0] ?? [], target, call),
    ]);
    if (recorded.status === 'rejected') throw recorded.reason;
    memory.desired.set(stage.name, prepared.entries);
    for (const [kind, scope] of prepared.defines) memory.defined.set(kind, scope);
    const groups = prepared.groups.length;
    const step: StageStep = { kind: 'Applying', group: 0, groups, health: [] };
    if (validated.status === 'fulfilled') {
      const done = { validated: validated.value, validatedFor: target.scope };
      memory.prepared.set(index, { ...prepared, ...done });
      return withStep(run, index, step);
    }
    memory.prepared.set(index, { ...prepared, validated: undefined });
    const wait = this.#unservedYet(at, prepared, step, validated.reason);
    if (wait === undefined) throw new OperationError('apply', validated.reason);
    return withStep(run, index, wait);
  }

  /** Of a built stage, what a correction is about. What it no longer has is nobody's to correct. */
  async narrow(at: StageAt, prepared: PreparedStage, call: CallOptions): Promise<RunProgress> {
    const { memory, run, index } = at;
    const ids = await this.#concerned(at, call);
    const groups = prepared.groups
      .map((group) => group.filter((object) => ids.has(identityOf(object))))
      .filter((group) => group.length > 0);
    if (groups.length === 0) return withStep(run, index, { kind: 'AtGates' });
    memory.prepared.set(index, { ...prepared, groups, validated: undefined });
    return withStep(run, index, { kind: 'Applying', group: 0, groups: groups.length, health: [] });
  }

  /** Applies one group of the stage; the next step is to wait for it. */
  async apply(at: StageAt, step: Applying, call: CallOptions): Promise<RunProgress> {
    const { memory, run, index } = at;
    const prepared = memory.prepared.get(index);
    // A built stage that was dropped meanwhile is built again, from the cache where it can be.
    if (prepared === undefined) return withStep(run, index, { kind: 'Pending' });
    try {
      const before: BeforeWrite = new Map();
      const tenant = await this.#tenantOf(at, call);
      const target = this.#target(at, tenant);
      const validated = await this.#validated(at, prepared, step.group, { target, before }, call);
      if (validated.replacements.length > 0) {
        const around = { ...this.#options, target };
        return withStep(run, index, await replace(at, step, validated, around, call));
      }
      const written = await writeGroup(validated, target, call);
      const applied = written.map((each) => told(each, step));
      reportApplied(at, prepared, applied, before, this.#options.reporter);
      rememberApplied(at, applied);
      if (run.correction === undefined || run.correction.whole === true)
        this.#follow(at, tenant, prepared, step.group);
      else recordCorrections(at, { ...target, before, applied }, this.#options);
      const health = [...step.health, ...healthOfApplied(applied, this.#options.clock())];
      const next = this.#afterGroup(at, { ...step, health });
      if (next.kind === 'Verifying' && run.correction === undefined) rememberRendered(at, prepared);
      return withStep(withChanges(run, index, countOf(applied)), index, next);
    } catch (error) {
      const wait = this.#unservedYet(at, prepared, step, error);
      if (wait === undefined) throw error;
      return withStep(run, index, wait);
    }
  }

  /** What was deleted on purpose must not be missed as drift. */
  forgetApplied(stageSet: StageSet, { identity }: Tenant, { id }: InventoryEntry): void {
    this.#options.applied.forget(`${scopeOf(identity, stageSet)}|${id}`);
  }

  /** Looks again at what the stage waits for. */
  async look(at: StageAt, step: Extract<StageStep, Wait>, call: CallOptions): Promise<RunProgress> {
    const { stageSet, run, index, stage } = at;
    const { clock, expressions: evaluator, reporter } = this.#options;
    const tenant = await this.#tenantOf(at, call);
    const reader = { client: tenant.client, owner: selectorOf(stageSet, stage) };
    const newsOf = (health: readonly AwaitedHealth[]): 'Watched' | 'Polled' =>
      this.#newsOf(at, tenant, health);
    const looked = await lookAgain(step, stage, { reader, evaluator, clock, newsOf }, call);
    const waited = minutesPassed(step, looked.lookedAt ?? step.since);
    if (waited !== undefined) reporter.stillWaiting(stageSet, stage.name, looked, waited);
    return withStep(run, index, looked);
  }

  /** Ids of the objects that a correction is about: never one that no inventory has. */
  async #concerned(
    { run, stage, stageSet, memory }: StageAt,
    call: CallOptions,
  ): Promise<Set<string>> {
    if (run.correction?.whole === true) {
      const inventories = await this.storedInventories(stageSet, memory, call);
      return new Set(inventories.get(stage.name)?.entries.map(({ id }) => id));
    }
    const ours = (run.correction?.objects ?? []).filter((object) => object.stage === stage.name);
    return new Set(ours.map(({ id }) => id));
  }

  /** The inventories as stored, read once and kept up to date by our own writes. */
  async storedInventories(
    stageSet: StageSet,
    memory: StageSetMemory,
    call: CallOptions,
  ): Promise<Map<string, StoredInventory>> {
    if (memory.inventories !== undefined) return memory.inventories;
    const stored = await this.#options.inventories.load(stageSet, call);
    trustInventories(memory, stageSet, stored);
    return stored;
  }

  async #record(
    at: StageAt,
    prepared: PreparedStage,
    { client }: Tenant,
    call: CallOptions,
  ): Promise<void> {
    const { stageSet, memory, index, stage } = at;
    const stored = await this.storedInventories(stageSet, memory, call);
    const before = stored.get(stage.name);
    const found = this.#hadBefore(at, prepared, before, client, call);
    const had = await during('record inventory', found);
    const ahead = { stage: stage.name, position: index, entries: union(had, prepared.entries) };
    try {
      const write = this.#options.inventories.record(stageSet, ahead, before, call);
      stored.set(stage.name, await during('record inventory', write));
      foundAgain(memory, stage.name);
    } catch (error) {
      // What a failed write left behind is not known.
      distrustInventories(memory);
      throw error;
    }
  }

  /** What the stage owned before: as recorded or, where the record is lost, as labels tell. */
  async #hadBefore(
    { stageSet, memory, stage }: StageAt,
    { entries }: PreparedStage,
    before: StoredInventory | undefined,
    client: KubernetesClient,
    call: CallOptions,
  ): Promise<readonly InventoryEntry[]> {
    const recorded = before?.entries ?? [];
    if (!memory.lost.has(stage.name)) return recorded;
    const owner = selectorOf(stageSet, stage);
    const rebuilt = await rebuildInventory(owner, entries, memory, client, call);
    memory.rebuilt.set(stage.name, rebuilt.unlisted);
    return union(recorded, rebuilt.entries);
  }

  async #validated(
    at: StageAt,
    prepared: ValidatedStage,
    group: number,
    { target, before }: { readonly target: ApplyTarget; readonly before: BeforeWrite },
    call: CallOptions,
  ): Promise<ValidatedGroup> {
    const isFirst = group === 0 && prepared.validatedFor === target.scope;
    const first = isFirst ? prepared.validated : undefined;
    // Validated once: another try at this group asks the server anew.
    at.memory.prepared.set(at.index, { ...prepared, validated: undefined });
    const objects = prepared.groups[group] ?? [];
    const { correction, purpose } = at.run;
    const find = correction === undefined ? undefined : readEach(before);
    const validated = first ?? (await validateGroup(objects, target, call, find));
    if (purpose === 'Reassert' && correction === undefined) {
      for (const [id, live] of await readTouched(validated, target, call)) before.set(id, live);
    }
    return validated;
  }

  /** Looks whether the objects are gone that were deleted in order to be created anew. */
  async lookForDeleted(at: StageAt, step: Recreating, call: CallOptions): Promise<RunProgress> {
    const { client } = await this.#tenantOf(at, call);
    const looked = await lookForDeleted(step, client, this.#options.clock, call);
    return withStep(at.run, at.index, looked);
  }

  /** @throws RetryableError when the run has begun on another cluster: then it starts over. */
  async #tenantOf({ stageSet, stage, memory }: StageAt, call: CallOptions): Promise<Tenant> {
    const tenant = await this.#options.targets.targetOf(stageSet, stage.name, call);
    const before = memory.server ?? tenant.server;
    memory.server = tenant.server;
    if (before === tenant.server) return tenant;
    const error = clusterFailed(
      'spec.kubeConfig leads to another cluster now; the run starts over',
    );
    throw new OperationError('connect to target cluster', error);
  }

  #target({ stageSet, stage }: StageAt, { client, identity }: Tenant): ApplyTarget {
    const scope = scopeOf(identity, stageSet);
    return {
      client,
      owner: selectorOf(stageSet, stage),
      scope,
      memory: this.#options.applied,
      stageSetExists: this.#options.stageSetExists,
      conflicts: stage,
    };
  }

  /** From now on, changes of what is applied are told. */
  #follow(
    { stageSet, stage }: StageAt,
    { client, identity, server }: Tenant,
    { groups }: PreparedStage,
    group: number,
  ): void {
    const key = storeKey(stageSet.metadata.namespace, stageSet.metadata.name);
    const follower: Follower = { stageSet: key, stage: stage.name, identity, client, server };
    const kinds = groups
      .slice(0, group + 1)
      .flat()
      .map(({ apiVersion, kind, metadata: { namespace } }): OwnedKind => {
        return { apiVersion, kind, ...(namespace === undefined ? {} : { namespace }) };
      });
    this.#options.drift.follow(follower, kinds, group + 1 < groups.length ? 'Some' : 'All');
  }

  #newsOf(
    { stageSet }: StageAt,
    { identity }: Tenant,
    health: readonly AwaitedHealth[],
  ): 'Watched' | 'Polled' {
    const scope = scopeOf(identity, stageSet);
    const changing = health.filter(({ object }) => healthNeedsRead(object));
    const watched = changing.every(
      ({ object, origin }) =>
        origin !== 'Check' && this.#options.drift.covers(identity, scope, object),
    );
    return watched ? 'Watched' : 'Polled';
  }

  #afterGroup({ memory, stageSet, stage, index }: StageAt, step: Applying): StageStep {
    const now = this.#options.clock();
    const { groups, health } = step;
    const group = step.group + 1;
    if (group < groups && !othersBuildOn(memory.prepared.get(index)?.groups[step.group] ?? [])) {
      return { kind: 'Applying', group, groups, health };
    }
    if (group < groups) {
      return { kind: 'Establishing', group, groups, ...beginWait(now, establishBound, health) };
    }
    memory.prepared.delete(index);
    return { kind: 'Verifying', ...beginVerifying(stageSet, stage, health, now) };
  }

  /**
   * An established CRD is served a moment later than its condition says. A kind that this run itself
   * has defined is therefore waited for, within the bound for definitions.
   */
  #unservedYet(
    { memory }: StageAt,
    prepared: PreparedStage,
    step: Applying,
    error: unknown,
  ): StageStep | undefined {
    if (!causedBy(error, isNoKindMatch)) return undefined;
    const group = prepared.groups[step.group] ?? [];
    const own = group.some(({ apiVersion, kind }) => memory.defined.has(`${apiVersion}/${kind}`));
    const now = this.#options.clock();
    const since = step.unserved?.since ?? now;
    if (!own || between(since, now) >= establishBound) return undefined;
    const nextTry = after(now, milliseconds(250));
    return { kind: 'Applying', ...step, unserved: { since, nextTry } };
  }
}

function countOf(applied: readonly AppliedObject[]): ChangeCounts {
  const count = (wanted: AppliedObject['outcome']): number =>
    applied.filter(({ outcome }) => outcome === wanted).length;
  return {
    created: count('Created'),
    configured: count('Configured'),
    recreated: count('Recreated'),
    unchanged: count('Unchanged'),
    skipped: count('Skipped'),
  };
}

/** A new object that takes the place of one that was deleted for it is told as such. */
function told(applied: AppliedObject, { recreation }: Applying): AppliedObject {
  const replaced = recreation?.objects.some((object) => sameObject(object, applied.live)) ?? false;
  return replaced && applied.outcome === 'Created' ? { ...applied, outcome: 'Recreated' } : applied;
}
