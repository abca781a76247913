import { stageSetLabel } from '../core/inventory/shards.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { Reflector, type ReflectorOptions } from '../kubernetes/reflector.ts';
import { storeKey } from '../kubernetes/store.ts';
import type { DeleteOutcome } from '../kubernetes/writes.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { type StageSet, stagesApiVersion } from '../types/stages.ts';
import { type ObjectEvent, OwnWrites } from './own-writes.ts';

export interface InventoryWatchOptions {
  /** Empty follows the whole cluster. */
  readonly namespaces: readonly string[];
  /** Told of the StageSet whose inventory somebody else changed or deleted. */
  readonly onLost: (stageSetKey: string) => void;
  readonly onTrouble: ReflectorOptions['onTrouble'];
}

const byStageSet = 'stageSet';

/** Follows the metadata of StageInventories, to notice when anybody but us touches one. */
export class InventoryWatch {
  readonly reflectors: readonly Reflector[];
  readonly #own = new OwnWrites((event) => this.#seeOthers(event));
  readonly #onLost: InventoryWatchOptions['onLost'];

  constructor(client: KubernetesClient, { namespaces, onLost, onTrouble }: InventoryWatchOptions) {
    this.#onLost = onLost;
    const kind = { apiVersion: stagesApiVersion, kind: 'StageInventory', as: 'Metadata' } as const;
    const scopes = namespaces.length === 0 ? [{}] : namespaces.map((namespace) => ({ namespace }));
    this.reflectors = scopes.map(
      (scope) =>
        new Reflector(
          client,
          { ...kind, ...scope },
          {
            transform: slim,
            indexers: { [byStageSet]: stageSetKeyOf },
            onEvent: (event) => {
              if (event.type !== 'Synced') this.#own.see(event);
            },
            ...(onTrouble === undefined ? {} : { onTrouble }),
          },
        ),
    );
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
    return await this.#own.whileWriting(shard, write);
  }

  #seeOthers({ type, object }: ObjectEvent): void {
    // What there was at the start is no news; what somebody adds later, such as a backup, is.
    const synced = this.reflectors.every(({ hasSynced }) => hasSynced);
    if (type === 'Added' && !synced) return;
    for (const key of stageSetKeyOf(object)) this.#onLost(key);
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
