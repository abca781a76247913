import { stageSetLabel } from '../core/inventory/shards.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { Reflector, type ReflectorEvent, type ReflectorOptions } from '../kubernetes/reflector.ts';
import { storeKey, storeKeyOf } from '../kubernetes/store.ts';
import type { DeleteOutcome } from '../kubernetes/writes.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { type StageSet, stagesApiVersion } from '../types/stages.ts';

export interface InventoryWatchOptions {
  /** Empty follows the whole cluster. */
  readonly namespaces: readonly string[];
  /** Told of the StageSet whose inventory somebody else changed or deleted. */
  readonly onLost: (stageSetKey: string) => void;
  readonly onTrouble: ReflectorOptions['onTrouble'];
}

const byStageSet = 'stageSet';
const expectedAtMost = 10_000;

/** Follows the metadata of StageInventories, to notice when anybody but us touches one. */
export class InventoryWatch {
  readonly reflectors: readonly Reflector[];
  /** resourceVersions of our own writes and keys of what we deleted, whose events are no news. */
  readonly #expected = new Set<string>();
  /** Shards that we are writing, with the events that came before the answer did. */
  readonly #underWay = new Map<string, ReflectorEvent[]>();
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
            onEvent: (event) => this.#see(event),
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

  /**
   * The answer to a write or deletion of a shard by us. Its event is not taken for somebody else's,
   * even if it comes before the answer.
   */
  async whileWriting<Answer extends KubernetesObject | DeleteOutcome>(
    { metadata }: Pick<KubernetesObject, 'metadata'>,
    write: () => Promise<Answer>,
  ): Promise<Answer> {
    const key = storeKey(metadata.namespace, metadata.name);
    this.#underWay.set(key, []);
    try {
      const answer = await write();
      if (typeof answer === 'object') this.#expect(answer.metadata.resourceVersion);
      else if (answer !== 'NotFound') this.#expect(deletionOf(key));
      return answer;
    } finally {
      const held = this.#underWay.get(key) ?? [];
      this.#underWay.delete(key);
      for (const event of held) this.#see(event);
    }
  }

  #expect(event: string | undefined): void {
    if (event === undefined) return;
    this.#expected.add(event);
    const [oldest] = this.#expected;
    if (this.#expected.size > expectedAtMost && oldest !== undefined) this.#expected.delete(oldest);
  }

  #see(event: ReflectorEvent): void {
    if (event.type === 'Synced') return;
    const key = storeKeyOf(event.object);
    const held = this.#underWay.get(key);
    if (held !== undefined) {
      held.push(event);
      return;
    }
    const { resourceVersion = '' } = event.object.metadata;
    const ours = this.#expected.delete(
      event.type === 'Deleted' ? deletionOf(key) : resourceVersion,
    );
    // What there was at the start is no news; what somebody adds later, such as a backup, is.
    const synced = this.reflectors.every(({ hasSynced }) => hasSynced);
    if (ours || (event.type === 'Added' && !synced)) return;
    for (const key of stageSetKeyOf(event.object)) this.#onLost(key);
  }
}

function deletionOf(key: string): string {
  return `deletion of ${key}`;
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
