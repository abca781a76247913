import { deleteOwned, stillThere } from '../apply/delete-owned.ts';
import { fieldManager } from '../apply/field-manager.ts';
import { RetryableError } from '../core/errors.ts';
import { finalizer } from '../core/finalizer.ts';
import { sweptNamespaces } from '../core/inventory/sweep.ts';
import { planTeardown } from '../core/inventory/teardown.ts';
import { referenceTo } from '../core/objects/identity.ts';
import { nextLook } from '../core/schedule.ts';
import type { TeardownProgress, TeardownStage } from '../core/teardown-progress.ts';
import { type RefusalKind, type TeardownTrouble, withFailure } from '../core/teardown-trouble.ts';
import type { Clock } from '../core/time.ts';
import { isForbidden, isNotFound, isUnauthorized } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { isMissingAccount } from '../kubernetes/tokens.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { StageSet } from '../types/stages.ts';
import { causedBy, failureOf } from './failure.ts';
import type { InventoryStore, StoredInventory } from './inventory-store.ts';
import { together } from './memory.ts';
import { ownerOf } from './owner.ts';
import type { Reporter } from './reporter.ts';
import { sweep, withFound } from './sweep.ts';
import type { Targets } from './targets.ts';

/** Carries out the deletion of a StageSet, one small step at a time (part A 2.10). */
export class TeardownEffects {
  readonly #client: KubernetesClient;
  readonly #targets: Targets;
  readonly #inventories: InventoryStore;
  readonly #reporter: Reporter;
  readonly #clock: Clock;

  constructor(
    client: KubernetesClient,
    {
      targets,
      inventories,
      reporter,
      clock,
    }: { targets: Targets; inventories: InventoryStore; reporter: Reporter; clock: Clock },
  ) {
    this.#client = client;
    this.#targets = targets;
    this.#inventories = inventories;
    this.#reporter = reporter;
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
      const known = together(stored, remembered);
      const { records, unreachable } = await this.#complete(stageSet, known, call);
      const plan = planTeardown([...records.values()], stageSet.spec?.stages ?? []);
      const stages = plan.map(({ stage, deletions }): TeardownStage => {
        const planned = { stage, entries: deletions, step: { kind: 'Pending' } } as const;
        const error = unreachable.get(stage);
        if (error === undefined) return planned;
        return { ...planned, trouble: this.#troubleAfter(undefined, error) };
      });
      return { loaded: true, stages, trouble: undefined };
    } catch (error) {
      call.signal.throwIfAborted();
      return { loaded: false, stages: [], trouble: this.#troubleAfter(before?.trouble, error) };
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
      const { client } = await this.#targets.targetOf(stageSet, stage.stage, call);
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
      const { client } = await this.#targets.targetOf(stageSet, stage.stage, call);
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
    const worked = await this.#try(stage, work);
    const stages = progress.stages.map((other, at) => (at === index ? worked : other));
    return { ...progress, stages };
  }

  async #try(
    { trouble, ...stage }: TeardownStage,
    work: (stage: TeardownStage) => Promise<TeardownStage>,
  ): Promise<TeardownStage> {
    try {
      return await work(stage);
    } catch (error) {
      return { ...stage, trouble: this.#troubleAfter(trouble, error) };
    }
  }

  #troubleAfter(before: TeardownTrouble | undefined, error: unknown): TeardownTrouble {
    return withFailure(before, failureOf('teardown', error), refusalOf(error), this.#clock());
  }

  /**
   * The records, and where some are lost what is found by labels instead.
   *
   * @throws RetryableError when the spec cannot be read, which hides whose identity to use and what to
   * keep: that may not pass for nothing to do.
   */
  async #complete(
    stageSet: StageSet,
    known: ReadonlyMap<string, StoredInventory>,
    call: CallOptions,
  ): Promise<{
    records: ReadonlyMap<string, StoredInventory>;
    unreachable: ReadonlyMap<string, unknown>;
  }> {
    const namespaces = sweptNamespaces(stageSet, known);
    const recorded = [...known.values()].some(({ entries }) => entries.length > 0);
    if (stageSet.spec === undefined && (recorded || namespaces !== undefined)) {
      throw new RetryableError('the spec cannot be read, so that nobody knows as whom to delete');
    }
    if (namespaces === undefined) return { records: known, unreachable: new Map() };
    const found = await sweep(stageSet, namespaces, this.#targets, call);
    this.#reporter.swept(stageSet, [...found.byStage.keys()], found.unlisted);
    return { records: withFound(stageSet, known, found), unreachable: found.unreachable };
  }
}

/** What no waiting may repair: the identity may not delete, or it is gone (part A 2.10). */
function refusalOf(error: unknown): RefusalKind | undefined {
  if (causedBy(error, isMissingAccount)) return 'AccountGone';
  if (causedBy(error, isUnauthorized)) return 'Unauthorized';
  return causedBy(error, isForbidden) ? 'Forbidden' : undefined;
}
