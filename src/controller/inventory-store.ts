import { fieldManager } from '../apply/field-manager.ts';
import { RetryableError } from '../core/errors.ts';
import { applySetAnnotations } from '../core/inventory/apply-set.ts';
import type { RecordedStage } from '../core/inventory/deletion.ts';
import { entriesOf } from '../core/inventory/read.ts';
import { shardsFor, stageLabel, stageSetLabel, surplusShards } from '../core/inventory/shards.ts';
import { shardWrites } from '../core/inventory/writes.ts';
import { referenceTo } from '../core/objects/identity.ts';
import { longestLabel } from '../core/objects/label-value.ts';
import { isAlreadyExists, isNotFound } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { type StageInventory, type StageSet, stagesApiVersion } from '../types/stages.ts';
import type { InventoryWatch } from './inventory-watch.ts';

/** One stage's inventory as it is stored. */
export interface StoredInventory extends RecordedStage {
  readonly shards: readonly StageInventory[];
}

export interface InventoryHooks {
  /** Told of entries that stand for no object; what they meant is never pruned. */
  readonly onMalformed: (stageSet: StageSet, stage: string, ids: readonly string[]) => void;
  /** Whether it is known for sure that a StageSet has no shard. */
  readonly hasNone: (stageSet: StageSet) => boolean;
  /** Carries out a write or deletion of a shard, and knows by that whose it was. */
  readonly whileWriting: InventoryWatch['whileWriting'];
}

/**
 * Reads and writes StageInventories, always as the controller. A write sends only the shards whose
 * content changed, and a surplus shard is deleted only after all others are written, so that a stop
 * in between never forgets an object.
 */
export class InventoryStore {
  readonly #client: KubernetesClient;
  readonly #shardCap: number;
  readonly #hooks: InventoryHooks;

  constructor(client: KubernetesClient, shardCap: number, hooks: InventoryHooks) {
    this.#client = client;
    this.#shardCap = shardCap;
    this.#hooks = hooks;
  }

  /** The inventories of all stages that the StageSet ever recorded, by stage name. */
  async load(stageSet: StageSet, call: CallOptions): Promise<Map<string, StoredInventory>> {
    // A watch may lag: only of a StageSet that has never got anywhere is it believed.
    const fresh = stageSet.status?.stages === undefined;
    if (fresh && this.#hooks.hasNone(stageSet)) return new Map();
    return await this.list(stageSet, call);
  }

  /** As `load`, and always by asking the API server. */
  async list(stageSet: StageSet, call: CallOptions): Promise<Map<string, StoredInventory>> {
    return await listInventories(this.#client, stageSet, this.#hooks, call);
  }

  /** Makes the stored inventory of a stage equal to `record`; writes nothing when it is. */
  async record(
    stageSet: StageSet,
    record: RecordedStage,
    before: StoredInventory | undefined,
    call: CallOptions,
  ): Promise<StoredInventory> {
    const shards = shardsFor({ ...record, stageSet, cap: this.#shardCap });
    const stored = before?.shards ?? [];
    const names = new Set(stored.map(({ metadata }) => metadata.name));
    for (const shard of shardWrites(stored, shards)) {
      const exists = names.has(shard.metadata.name);
      await this.#hooks.whileWriting(
        shard,
        async () => await this.#write(shard, exists ? 'Update' : 'Create', call),
      );
    }
    await this.#delete(stageSet, surplusShards(stored, shards), call);
    return { ...record, shards };
  }

  /** Deletes all shards of a stage that is gone. */
  async remove(stageSet: StageSet, stored: StoredInventory, call: CallOptions): Promise<void> {
    const names = stored.shards.map(({ metadata }) => metadata.name);
    await this.#delete(stageSet, names, call);
  }

  /**
   * A create or a merge patch, since they cost the API server half of an apply, and nobody shares the
   * fields of a shard with us.
   */
  async #write(
    shard: StageInventory,
    expected: 'Create' | 'Update',
    call: CallOptions,
  ): Promise<KubernetesObject> {
    if (expected === 'Update') {
      const { labels, ownerReferences } = shard.metadata;
      const annotations = annotationsPatch(shard);
      const body = { metadata: { labels, annotations, ownerReferences }, spec: shard.spec };
      const patch = { type: 'Merge', body, fieldManager } as const;
      try {
        return await this.#client.patch(referenceTo(shard), patch, call);
      } catch (error) {
        // Somebody deleted it a moment ago.
        if (!isNotFound(error)) throw error;
      }
    }
    try {
      return await this.#client.create(shard, { fieldManager }, call);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      await this.#makeRoom(shard, call);
      return await this.#client.create(shard, { fieldManager }, call);
    }
  }

  /**
   * Removes the shard of an earlier StageSet of the same name, which nobody has collected yet. One of
   * our own that we did not know of is never overwritten: it must be read first.
   */
  async #makeRoom(shard: StageInventory, call: CallOptions): Promise<void> {
    const existing = await this.#client.find(referenceTo(shard), call);
    if (existing === undefined) return;
    if (belongsTo(existing, shard.metadata.ownerReferences?.[0]?.uid)) {
      const message = `StageInventory ${shard.metadata.name} holds records that were not read yet`;
      throw new RetryableError(message, { object: referenceTo(shard) });
    }
    const { uid } = existing.metadata;
    const preconditions = uid === undefined ? {} : { uid };
    await this.#client.delete(referenceTo(shard), { preconditions }, call);
  }

  async #delete(stageSet: StageSet, names: readonly string[], call: CallOptions): Promise<void> {
    const { namespace } = stageSet.metadata;
    for (const name of names) {
      const metadata = namespace === undefined ? { name } : { name, namespace };
      const shard = { apiVersion: stagesApiVersion, kind: 'StageInventory', metadata };
      await this.#hooks.whileWriting(
        shard,
        async () => await this.#client.delete(referenceTo(shard), {}, call),
      );
    }
  }
}

/** The inventories of all stages that a StageSet ever recorded, by stage name. */
export async function listInventories(
  client: KubernetesClient,
  stageSet: StageSet,
  { onMalformed }: Partial<Pick<InventoryHooks, 'onMalformed'>>,
  call: CallOptions,
): Promise<Map<string, StoredInventory>> {
  const { name, namespace, uid } = stageSet.metadata;
  // No inventory has the label of a StageSet whose name is too long for one.
  if (name.length > longestLabel) return new Map();
  const { items } = await client.list(
    {
      apiVersion: stagesApiVersion,
      kind: 'StageInventory',
      labelSelector: `${stageSetLabel}=${name}`,
      ...(namespace === undefined ? {} : { namespace }),
    },
    call,
  );
  const stored = new Map<string, StoredInventory>();
  for (const [stage, shards] of byStage(items.filter((item) => belongsTo(item, uid)))) {
    const { entries, position, malformed } = entriesOf(shards);
    if (malformed.length > 0) onMalformed?.(stageSet, stage, malformed);
    stored.set(stage, { stage, position, entries, shards });
  }
  return stored;
}

/** A merge patch keeps what it does not name: what the ApplySet no longer says is taken away. */
function annotationsPatch({ metadata }: StageInventory): Record<string, string | null> {
  return Object.fromEntries(
    applySetAnnotations.map((key) => [key, metadata.annotations?.[key] ?? null]),
  );
}

/**
 * A shard of a StageSet of the same name that existed before is not ours; it is being collected. One
 * without any owner was restored from a backup that leaves owner references out: it is ours again.
 */
function belongsTo({ metadata }: KubernetesObject, uid: string | undefined): boolean {
  const owners = metadata.ownerReferences ?? [];
  return owners.length === 0 || owners.some((owner) => owner.uid === uid);
}

function byStage(items: readonly KubernetesObject[]): Map<string, StageInventory[]> {
  const stages = new Map<string, StageInventory[]>();
  for (const item of items) {
    const stage = item.metadata.labels?.[stageLabel];
    if (stage === undefined) continue;
    const shards = stages.get(stage) ?? [];
    shards.push(item as StageInventory);
    stages.set(stage, shards);
  }
  return stages;
}
