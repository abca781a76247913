import { stageSetLabel } from '../core/inventory/shards.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { Reflector, ReflectorOptions } from '../kubernetes/reflector.ts';
import { storeKey } from '../kubernetes/store.ts';
import type { DeleteOutcome } from '../kubernetes/writes.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { StageSet } from '../types/stages.ts';
import { OthersChanges } from './others-changes.ts';

export interface InventoryWatchOptions {
  /** Empty follows the whole cluster. */
  readonly namespaces: readonly string[];
  /** Told of the StageSet whose inventory somebody else changed or deleted. */
  readonly onLost: (stageSetKey: string) => void;
  readonly onTrouble: ReflectorOptions['onTrouble'];
}

const byStageSet = 'stageSet';

/** Follows StageInventories, to notice when anybody but us touches one. */
export class InventoryWatch {
  readonly #changes: OthersChanges;

  constructor(client: KubernetesClient, { onLost, ...options }: InventoryWatchOptions) {
    this.#changes = new OthersChanges(client, 'StageInventory', {
      ...options,
      transform: slim,
      indexers: { [byStageSet]: stageSetKeyOf },
      onChange: (shard) => {
        for (const key of stageSetKeyOf(shard)) onLost(key);
      },
    });
  }

  get reflectors(): readonly Reflector[] {
    return this.#changes.reflectors;
  }

  /**
   * Whether a StageSet has no shard for sure, which spares a new one a list: the watch has seen all
   * that there were at its start, and later ones are our own.
   */
  knowsOfNone({ metadata }: StageSet): boolean {
    const key = storeKey(metadata.namespace, metadata.name);
    return this.reflectors.every(
      ({ hasSynced, trouble, store }) =>
        hasSynced && trouble === undefined && store.indexed(byStageSet, key).length === 0,
    );
  }

  /** As `OwnWrites.whileWriting`, of a shard. */
  async whileWriting<Answer extends KubernetesObject | DeleteOutcome>(
    shard: Pick<KubernetesObject, 'metadata'>,
    write: () => Promise<Answer>,
  ): Promise<Answer> {
    return await this.#changes.whileWriting(shard, write);
  }
}

function stageSetKeyOf({ metadata }: KubernetesObject): string[] {
  const stageSet = metadata.labels?.[stageSetLabel];
  return stageSet === undefined ? [] : [storeKey(metadata.namespace, stageSet)];
}

/** The part of a shard that tells whose it is and whether it changed. */
function slim({ apiVersion, kind, metadata }: KubernetesObject): KubernetesObject {
  const { name, namespace, uid, resourceVersion, labels } = metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(labels === undefined ? {} : { labels }),
    },
  };
}
