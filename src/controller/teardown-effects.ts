import { deleteOwned, stillThere } from '../apply/delete-owned.ts';
import { fieldManager } from '../apply/field-manager.ts';
import { finalizer } from '../core/finalizer.ts';
import { planTeardown } from '../core/inventory/teardown.ts';
import { nextLook } from '../core/schedule.ts';
import type { PermanentCause, TeardownProgress, TeardownStage } from '../core/teardown-progress.ts';
import type { Clock } from '../core/time.ts';
import { isForbidden, isNotFound, isUnauthorized } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { StageSet } from '../types/stages.ts';
import { causedBy, failureOf } from './failure.ts';
import type { InventoryStore } from './inventory-store.ts';
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
  async load(stageSet: StageSet, call: CallOptions): Promise<TeardownProgress> {
    const stored = await this.#inventories.load(stageSet, call);
    const plan = planTeardown([...stored.values()], stageSet.spec?.stages ?? []);
    const stages = plan.map(
      ({ stage, deletions }): TeardownStage => ({
        stage,
        entries: deletions,
        step: { kind: 'Pending' },
      }),
    );
    return { stages, failures: 0, failure: undefined };
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
    const { apiVersion, kind, metadata } = stageSet;
    const { name, namespace, uid, resourceVersion } = metadata;
    const finalizers = (metadata.finalizers ?? []).filter((held) => held !== finalizer);
    const reference = { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
    const body = { metadata: { uid, resourceVersion, finalizers } };
    try {
      await this.#client.patch(reference, { type: 'Merge', body, fieldManager }, call);
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
      return { stages, failures: 0, failure: undefined };
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

/** What no waiting repairs: the identity may not delete, or it is gone (part A 2.10). */
function permanentCause(error: unknown): PermanentCause | undefined {
  if (causedBy(error, isUnauthorized)) return 'unauthorized';
  return causedBy(error, isForbidden) ? 'permanent' : undefined;
}
