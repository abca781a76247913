import { fieldManager } from '../apply/field-manager.ts';
import { entriesOf } from '../core/inventory/read.ts';
import { shardsFor, stageLabel, stageSetLabel } from '../core/inventory/shards.ts';
import type { CallOptions, KubernetesClient } from '../kubernetes/client.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import {
  type InventoryEntry,
  type StageInventory,
  type StageSet,
  stagesApiVersion,
} from '../types/stages.ts';

/** One stage's inventory as it is stored. */
export interface StoredInventory {
  readonly stage: string;
  readonly position: number;
  readonly entries: readonly InventoryEntry[];
  /** Names of the shards, and each one's content as text. */
  readonly shards: ReadonlyMap<string, string>;
}

/**
 * Reads and writes StageInventories, always as the controller. A write sends only the shards whose
 * content changed, and a surplus shard is deleted only after all others are written, so that a stop
 * in between never forgets an object.
 */
export class InventoryStore {
  readonly #client: KubernetesClient;
  readonly #shardCap: number;
  readonly #onMalformed: (stageSet: StageSet, stage: string, entryId: string) => void;

  constructor(
    client: KubernetesClient,
    shardCap: number,
    onMalformed: (stageSet: StageSet, stage: string, entryId: string) => void,
  ) {
    this.#client = client;
    this.#shardCap = shardCap;
    this.#onMalformed = onMalformed;
  }

  /** The inventories of all stages that the StageSet ever recorded, by stage name. */
  async load(stageSet: StageSet, call: CallOptions): Promise<Map<string, StoredInventory>> {
    const { name, namespace, uid } = stageSet.metadata;
    const { items } = await this.#client.list(
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
      for (const id of malformed) this.#onMalformed(stageSet, stage, id);
      const contents = new Map(shards.map((shard) => [shard.metadata.name, contentOf(shard)]));
      stored.set(stage, { stage, position, entries, shards: contents });
    }
    return stored;
  }

  /** Makes the stored inventory of a stage equal to `entries`; writes nothing when it is. */
  async record(
    stageSet: StageSet,
    { stage, position, entries }: Omit<StoredInventory, 'shards'>,
    before: StoredInventory | undefined,
    call: CallOptions,
  ): Promise<StoredInventory> {
    const shards = shardsFor({ stageSet, stage, position, entries, cap: this.#shardCap });
    const contents = new Map(shards.map((shard) => [shard.metadata.name, contentOf(shard)]));
    for (const shard of shards) {
      const { name } = shard.metadata;
      if (before?.shards.get(name) === contents.get(name)) continue;
      await this.#client.apply(shard, { fieldManager, force: true }, call);
    }
    const surplus = [...(before?.shards.keys() ?? [])].filter((name) => !contents.has(name));
    await this.#delete(stageSet, surplus, call);
    return { stage, position, entries, shards: contents };
  }

  /** Deletes all shards of a stage that is gone. */
  async remove(stageSet: StageSet, stored: StoredInventory, call: CallOptions): Promise<void> {
    await this.#delete(stageSet, [...stored.shards.keys()], call);
  }

  async #delete(stageSet: StageSet, names: readonly string[], call: CallOptions): Promise<void> {
    const { namespace } = stageSet.metadata;
    for (const name of names) {
      const reference = {
        apiVersion: stagesApiVersion,
        kind: 'StageInventory',
        name,
        ...(namespace === undefined ? {} : { namespace }),
      };
      await this.#client.delete(reference, {}, call);
    }
  }
}

/** A shard of a StageSet of the same name that existed before is not ours; it is being collected. */
function belongsTo(item: KubernetesObject, uid: string | undefined): boolean {
  return (item.metadata.ownerReferences ?? []).some((owner) => owner.uid === uid);
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

/** What a shard says, whatever the API server added to it. */
function contentOf({ spec }: StageInventory): string {
  const entries = (spec?.entries ?? []).map(({ id, v }) => [id, v]);
  return JSON.stringify([spec?.stagePosition, entries]);
}
