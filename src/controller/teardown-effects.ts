import { deleteOwned, stillThere } from '../apply/delete-owned.ts';
import { fieldManager } from '../apply/field-manager.ts';
import { RetryableError } from '../core/errors.ts';
import { finalizer } from '../core/finalizer.ts';
import { union } from '../core/inventory/sets.ts';
import { planTeardown } from '../core/inventory/teardown.ts';
import { referenceTo } from '../core/objects/identity.ts';
import { nextLook } from '../core/schedule.ts';
import type { PermanentCause, TeardownProgress, TeardownStage } from '../core/teardown-progress.ts';
import type { Clock } from '../core/time.ts';
import { isForbidden, isNotFound, isUnauthorized } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { StageSet } from '../types/stages.ts';
import { causedBy, failureOf } from './failure.ts';
import type { InventoryStore, StoredInventory } from './inventory-store.ts';
import { ownerOf } from './stage-effects.ts';
import type { Tenants } from './tenants.ts';

/** Carries out the deletion of a StageSet, one small step at a time (part A 2.10). */
export class TeardownEffects {
  readonly #client: KubernetesClient;
  readonly #tenants: Tenants;
  readonly #inventories: InventoryStore;
  readonly #clock: Clock;

  constructor(
    client: KubernetesClient,
    {
      tenants,
      inventories,
      clock,
    }: { tenants: Tenants; inventories: InventoryStore; clock: Clock },
  ) {
    this.#client = client;
    this.#tenants = tenants;
    this.#inventories = inventories;
    this.#clock = clock;
  }

  /** What there is to delete, by what was recorded, stages that left the spec included. */
  async load(
    stageSet: StageSet,
    before: TeardownProgress | undefined,
    remembered: ReadonlyMap<string, StoredInventory>,
    call: CallOptions,
  ): Promise<TeardownProgress> {
    try {
      const stored = await this.#inventories.list(stageSet, call);
      const records = together(stored, remembered);
      refuseLostRecords(stageSet, records);
      const plan = planTeardown([...records.values()], stageSet.spec?.stages ?? []);
      const stages = plan.map(
        ({ stage, deletions }): TeardownStage => ({
          stage,
          entries: deletions,
          step: { kind: 'Pending' },
        }),
      );
      return { loaded: true, stages, failures: 0, failure: undefined };
    } catch (error) {
      call.signal.throwIfAborted();
      const failures = (before?.failures ?? 0) + 1;
      const failure = { ...failureOf('teardown', error), at: this.#clock() };
      return { loaded: false, stages: [], failures, failure };
    }
  }

  /** Deletes the objects of one stage; those that finalizers hold are waited for. */
  async deleteStage(
    stageSet: StageSet,
    progress: TeardownProgress,
    index: number,
    call: CallOptions,
  ): Promise<TeardownProgress> {
    return await this.#attempt(progress, index, async (stage) => {
      const { client } = this.#tenants.tenantOf(stageSet, stage.stage);
      const deletions = await deleteOwned(stage.entries, ownerOf(stageSet), client, call);
      const remaining = deletions.flatMap(({ entry, outcome }) =>
        outcome === 'Terminating' ? [entry] : [],
      );
      if (remaining.length === 0) return { ...stage, step: { kind: 'Gone' } };
      const since = this.#clock();
      const wait = { since, looks: 0, nextLook: nextLook(since, 0) };
      return { ...stage, step: { kind: 'Deleting', remaining, ...wait } };
    });
  }

  /** Looks whether what was deleted is gone by now. */
  async lookForGone(
    stageSet: StageSet,
    progress: TeardownProgress,
    index: number,
    call: CallOptions,
  ): Promise<TeardownProgress> {
    return await this.#attempt(progress, index, async (stage) => {
      if (stage.step.kind !== 'Deleting') return stage;
      const { client } = this.#tenants.tenantOf(stageSet, stage.stage);
      const owner = ownerOf(stageSet);
      const remaining = await stillThere(stage.step.remaining, owner, client, call);
      if (remaining.length === 0) return { ...stage, step: { kind: 'Gone' } };
      const looks = stage.step.looks + 1;
      const due = nextLook(this.#clock(), looks);
      return { ...stage, step: { ...stage.step, remaining, looks, nextLook: due } };
    });
  }

  /** Lets the StageSet go; its inventories follow by their owner reference. */
  async releaseFinalizer(stageSet: StageSet, call: CallOptions): Promise<void> {
    const { metadata } = stageSet;
    const { uid, resourceVersion } = metadata;
    const finalizers = (metadata.finalizers ?? []).filter((held) => held !== finalizer);
    const body = { metadata: { uid, resourceVersion, finalizers } };
    try {
      await this.#client.patch(referenceTo(stageSet), { type: 'Merge', body, fieldManager }, call);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async #attempt(
    progress: TeardownProgress,
    index: number,
    work: (stage: TeardownStage) => Promise<TeardownStage>,
  ): Promise<TeardownProgress> {
    const stage = progress.stages[index];
    if (stage === undefined) return progress;
    try {
      const worked = await work(stage);
      const stages = progress.stages.map((other, at) => (at === index ? worked : other));
      return { ...progress, stages, failures: 0, failure: undefined };
    } catch (error) {
      const failure = { ...failureOf('teardown', error), at: this.#clock() };
      const permanent = permanentCause(error);
      return {
        ...progress,
        failures: progress.failures + 1,
        failure: permanent === undefined ? failure : { ...failure, permanent },
      };
    }
  }
}

/**
 * What is stored and what is remembered of each stage. A garbage collector may have taken some shards
 * before us; what is remembered too much costs a look at an object that is gone.
 */
function together(
  stored: ReadonlyMap<string, StoredInventory>,
  remembered: ReadonlyMap<string, StoredInventory>,
): Map<string, StoredInventory> {
  const records = new Map(stored);
  for (const [stage, inventory] of remembered) {
    const { entries = [] } = stored.get(stage) ?? {};
    records.set(stage, { ...inventory, entries: union(inventory.entries, entries) });
  }
  return records;
}

/**
 * An empty record of a StageSet that has applied something is a lost one: a garbage collector may have
 * taken the inventories before us. Neither that nor an unreadable spec, which hides whose identity to
 * use and what to keep, may pass for nothing to do.
 *
 * @throws RetryableError that says what is missing.
 */
function refuseLostRecords(
  { spec, status }: StageSet,
  records: ReadonlyMap<string, StoredInventory>,
): void {
  const recorded = [...records.values()].some(({ entries }) => entries.length > 0);
  if (recorded && spec === undefined) {
    throw new RetryableError('the spec cannot be read, so that nobody knows as whom to delete');
  }
  const applied = (status?.stages ?? []).some(({ entriesCount = 0 }) => entriesCount > 0);
  if (applied && records.size === 0) {
    throw new RetryableError(
      'its StageInventories are gone, so that what it applied is not known any more; ' +
        'delete the objects with its labels by hand',
    );
  }
}

/** What no waiting repairs: the identity may not delete, or it is gone (part A 2.10). */
function permanentCause(error: unknown): PermanentCause | undefined {
  if (causedBy(error, isUnauthorized)) return 'unauthorized';
  return causedBy(error, isForbidden) ? 'permanent' : undefined;
}
