import type { AppliedMemory } from '../apply/applied-memory.ts';
import type { AppliedObject } from '../apply/applied-object.ts';
import { type ValidatedGroup, validateGroup, writeGroup } from '../apply/apply-group.ts';
import type { ApplyTarget } from '../apply/apply-target.ts';
import { healthOfApplied, lookAtHealth } from '../apply/look-at-health.ts';
import type { OwnerSelector } from '../apply/observe.ts';
import { deleteReplaced, namesOf, stillDeleting } from '../apply/recreate.ts';
import { RetryableError } from '../core/errors.ts';
import { union } from '../core/inventory/sets.ts';
import { refuseDataLoss } from '../core/objects/conflict-policy.ts';
import type { StageSetExists } from '../core/objects/foreign-owner.ts';
import { referenceTo, sameObject } from '../core/objects/identity.ts';
import { othersBuildOn } from '../core/objects/order.ts';
import { lookedAgain, tookTooLong, withDeletions } from '../core/recreation.ts';
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
import { establishBound, nextLook, recreateBoundOf, verifyBoundOf } from '../core/schedule.ts';
import { after, between, type Clock, milliseconds } from '../core/time.ts';
import { isNoKindMatch } from '../kubernetes/api-error.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { Stage, StageSet } from '../types/stages.ts';
import { causedBy, during, OperationError } from './failure.ts';
import type { InventoryStore, StoredInventory } from './inventory-store.ts';
import { distrustInventories, type StageSetMemory, type ValidatedStage } from './memory.ts';
import {
  type BuildStage,
  type PreparedStage,
  prepareStage,
  refuseSharedObjects,
} from './prepare-stage.ts';
import type { Reporter } from './reporter.ts';
import type { Tenants } from './tenants.ts';

export interface StageEffectsOptions {
  readonly build: BuildStage;
  readonly tenants: Tenants;
  readonly inventories: InventoryStore;
  readonly applied: AppliedMemory;
  readonly stageSetExists: StageSetExists;
  readonly clock: Clock;
  readonly reporter: Reporter;
}

/** A stage of a run that is being carried out. */
export interface StageAt {
  readonly stageSet: StageSet;
  readonly memory: StageSetMemory;
  readonly run: RunProgress;
  readonly index: number;
  readonly stage: Stage;
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

  /** Builds the stage and records what it is about to own, before any of it is applied. */
  async build(at: StageAt, call: CallOptions): Promise<PreparedStage> {
    const { stageSet, run, index, stage, memory } = at;
    const { build, tenants } = this.#options;
    const pinned = run.pinned[index];
    if (pinned === undefined) throw new Error(`stage ${stage.name} has no pinned artifact`);
    const { client } = tenants.tenantOf(stageSet, stage.name);
    const around = { owner: ownerOf(stageSet), client, defined: memory.defined };
    const prepared = await prepareStage(build, pinned, stage, around, call);
    refuseSharedObjects(prepared, stage.name, memory.desired);
    refuseConflictPolicy(prepared, stage);
    if (prepared.warnings.length > 0)
      this.#options.reporter.warned(stageSet, stage.name, prepared.warnings);
    return prepared;
  }

  /**
   * Writes down the union of what the stage had and what it will have, ahead of the apply, and lets
   * the server validate the first group meanwhile, which changes nothing.
   */
  async recordAhead(at: StageAt, prepared: PreparedStage, call: CallOptions): Promise<RunProgress> {
    const { memory, run, index, stage } = at;
    const [recorded, validated] = await Promise.allSettled([
      this.#record(at, prepared, call),
      validateGroup(prepared.groups[0] ?? [], this.#target(at), call),
    ]);
    if (recorded.status === 'rejected') throw recorded.reason;
    memory.desired.set(stage.name, prepared.entries);
    for (const [kind, scope] of prepared.defines) memory.defined.set(kind, scope);
    const groups = prepared.groups.length;
    const step: StageStep = { kind: 'Applying', group: 0, groups, health: [] };
    if (validated.status === 'fulfilled') {
      memory.prepared.set(index, { ...prepared, validated: validated.value });
      return withStep(run, index, step);
    }
    memory.prepared.set(index, { ...prepared, validated: undefined });
    const wait = this.#unservedYet(at, prepared, step, validated.reason);
    if (wait === undefined) throw new OperationError('apply', validated.reason);
    return withStep(run, index, wait);
  }

  /** Applies one group of the stage; the next step is to wait for it. */
  async apply(at: StageAt, step: Applying, call: CallOptions): Promise<RunProgress> {
    const { memory, run, index } = at;
    const prepared = memory.prepared.get(index);
    // A built stage that was dropped meanwhile is built again, from the cache where it can be.
    if (prepared === undefined) return withStep(run, index, { kind: 'Pending' });
    try {
      const validated = await this.#validated(at, prepared, step.group, call);
      if (validated.replacements.length > 0) return await this.#replace(at, step, validated, call);
      const written = await writeGroup(validated, this.#target(at), call);
      const applied = written.map((each) => told(each, step));
      this.#options.reporter.applied(at.stageSet, at.stage.name, run, applied);
      const health = [...step.health, ...healthOfApplied(applied, this.#options.clock())];
      const next = this.#afterGroup(at, { ...step, health });
      return withStep(withChanges(run, index, countOf(applied)), index, next);
    } catch (error) {
      const wait = this.#unservedYet(at, prepared, step, error);
      if (wait === undefined) throw error;
      return withStep(run, index, wait);
    }
  }

  /** Looks again at what the stage waits for. */
  async look(at: StageAt, step: Extract<StageStep, Wait>, call: CallOptions): Promise<RunProgress> {
    const { stageSet, run, index, stage } = at;
    const { client } = this.#options.tenants.tenantOf(stageSet, stage.name);
    const now = this.#options.clock();
    const owner = selectorOf(stageSet, stage);
    const health = await lookAtHealth(step.health, { client, owner }, now, call);
    const looks = step.looks + 1;
    // Counted from the end of the look, or a long one would be followed by the next without a pause.
    const due = nextLook(this.#options.clock(), looks);
    return withStep(run, index, { ...step, health, looks, nextLook: due });
  }

  /** The inventories as stored, read once and kept up to date by our own writes. */
  async storedInventories(
    stageSet: StageSet,
    memory: StageSetMemory,
    call: CallOptions,
  ): Promise<Map<string, StoredInventory>> {
    memory.inventories ??= await this.#options.inventories.load(stageSet, call);
    return memory.inventories;
  }

  async #record(at: StageAt, prepared: PreparedStage, call: CallOptions): Promise<void> {
    const { stageSet, memory, index, stage } = at;
    const stored = await this.storedInventories(stageSet, memory, call);
    const before = stored.get(stage.name);
    const entries = union(before?.entries ?? [], prepared.entries);
    const ahead = { stage: stage.name, position: index, entries };
    try {
      const write = this.#options.inventories.record(stageSet, ahead, before, call);
      stored.set(stage.name, await during('record inventory', write));
    } catch (error) {
      // What a failed write left behind is not known.
      distrustInventories(memory);
      throw error;
    }
  }

  async #validated(
    at: StageAt,
    prepared: ValidatedStage,
    group: number,
    call: CallOptions,
  ): Promise<ValidatedGroup> {
    const first = group === 0 ? prepared.validated : undefined;
    // Validated once: another try at this group asks the server anew.
    at.memory.prepared.set(at.index, { ...prepared, validated: undefined });
    return first ?? (await validateGroup(prepared.groups[group] ?? [], this.#target(at), call));
  }

  /**
   * Deletes what cannot be changed and may be replaced. The group is applied when all of it is gone,
   * also by a controller that knows nothing of the deletion: to that one the objects are new.
   */
  async #replace(
    at: StageAt,
    { group, groups, health, recreation }: Applying,
    { replacements }: ValidatedGroup,
    call: CallOptions,
  ): Promise<RunProgress> {
    const { stageSet, stage, run, index } = at;
    const now = this.#options.clock();
    const names = namesOf(replacements);
    if (recreation !== undefined && tookTooLong(recreation, now)) {
      const again = names.slice(0, 3).join(', ');
      throw new RetryableError(`replaced again and again within the stage's timeout: ${again}`);
    }
    const remaining = await deleteReplaced(replacements, this.#target(at), call);
    this.#options.reporter.recreating(stageSet, stage.name, names);
    const deleted = replacements.map(({ desired }) => referenceTo(desired.object));
    const bound = recreateBoundOf(stageSet.spec ?? { stages: [] }, stage.name);
    return withStep(run, index, {
      kind: 'Recreating',
      group,
      groups,
      established: health,
      recreation: withDeletions(recreation, deleted, now, bound),
      remaining,
      looks: 0,
      nextLook: nextLook(now, 0),
    });
  }

  /** Looks whether the objects are gone that were deleted in order to be created anew. */
  async lookForDeleted(at: StageAt, step: Recreating, call: CallOptions): Promise<RunProgress> {
    const { client } = this.#options.tenants.tenantOf(at.stageSet, at.stage.name);
    const remaining = await stillDeleting(step.remaining, client, call);
    const next = lookedAgain(step, remaining, this.#options.clock());
    return withStep(at.run, at.index, { kind: 'Recreating', ...next });
  }

  #target({ stageSet, stage }: StageAt): ApplyTarget {
    const { client, identity } = this.#options.tenants.tenantOf(stageSet, stage.name);
    const scope = `${identity}|${stageSet.metadata.uid ?? ''}`;
    return {
      client,
      owner: selectorOf(stageSet, stage),
      scope,
      memory: this.#options.applied,
      stageSetExists: this.#options.stageSetExists,
      conflicts: stage,
    };
  }

  #afterGroup({ memory, stageSet, stage, index }: StageAt, step: Applying): StageStep {
    const now = this.#options.clock();
    const { groups, health } = step;
    // What an unchanged object's health is, no answer to an apply has told yet.
    const unread = health.some(({ status }) => status === 'Unknown');
    const wait = { since: now, looks: 0, nextLook: unread ? now : nextLook(now, 0) };
    const group = step.group + 1;
    if (group < groups && !othersBuildOn(memory.prepared.get(index)?.groups[step.group] ?? [])) {
      return { kind: 'Applying', group, groups, health };
    }
    if (group < groups) {
      return { kind: 'Establishing', group, groups, bound: establishBound, health, ...wait };
    }
    memory.prepared.delete(index);
    const bound = verifyBoundOf(stageSet.spec ?? { stages: [] }, stage.name);
    const awaited = stage.readyChecks?.disableWait === true ? [] : health;
    return { kind: 'Verifying', bound, health: awaited, ...wait };
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

export function ownerOf({ metadata }: StageSet): { name: string; namespace: string } {
  return { name: metadata.name, namespace: metadata.namespace ?? '' };
}

function selectorOf(stageSet: StageSet, stage: Stage): OwnerSelector {
  return { ...ownerOf(stageSet), stage: stage.name };
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

/** @throws the refusal of the stage, as a failure of its own operation: see `refuseDataLoss`. */
function refuseConflictPolicy({ groups }: PreparedStage, stage: Stage): void {
  try {
    refuseDataLoss(groups.flat(), stage);
  } catch (error) {
    throw new OperationError('conflict policy', error);
  }
}
