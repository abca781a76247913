import { newestRun, sequenceOf } from '../core/history/newest-run.ts';
import { isRunOf, numberIn, stageRunLabel } from '../core/history/stage-run.ts';
import { longestLabel } from '../core/objects/label-value.ts';
import { parseStageRun } from '../core/validate/schema.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { Reflector, type ReflectorOptions } from '../kubernetes/reflector.ts';
import { storeKey } from '../kubernetes/store.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { type StageRun, type StageSet, stagesApiVersion } from '../types/stages.ts';
import { scopesOf } from './watched-namespaces.ts';

export interface StageRunsOptions {
  /** Empty follows the whole cluster. */
  readonly namespaces: readonly string[];
  /** Told of the StageSet in whose run somebody has passed a gate. */
  readonly onAdvance: (stageSetKey: string) => void;
  readonly onTrouble: ReflectorOptions['onTrouble'];
}

const kind = { apiVersion: stagesApiVersion, kind: 'StageRun' } as const;
const byStageSet = 'stageSet';

/** Runs that have ended have no more to tell, and there may be many of them. */
const underWay = ['Succeeded', 'Failed', 'Superseded', 'RolledBack']
  .map((phase) => `status.phase!=${phase}`)
  .join(',');

/** Follows the records of the runs that are under way, since a person may pass a gate in one. */
export class StageRuns {
  readonly reflectors: readonly Reflector[];
  readonly #client: KubernetesClient;

  constructor(client: KubernetesClient, options: StageRunsOptions) {
    const { namespaces, onAdvance, onTrouble } = options;
    this.#client = client;
    this.reflectors = scopesOf(namespaces).map(
      (scope) =>
        new Reflector(
          client,
          { ...kind, ...scope, fieldSelector: underWay },
          {
            indexers: { [byStageSet]: stageSetKeysOf },
            onEvent: (event) => {
              if (event.type !== 'Modified') return;
              if (advancesIn(event.object) === advancesIn(event.previous)) return;
              for (const key of stageSetKeysOf(event.object)) onAdvance(key);
            },
            ...(onTrouble === undefined ? {} : { onTrouble }),
          },
        ),
    );
  }

  /** The newest record of those that are under way, as last seen. */
  seen({ metadata }: StageSet): StageRun | undefined {
    const key = storeKey(metadata.namespace, metadata.name);
    const runs = this.reflectors.flatMap(({ store }) => store.indexed(byStageSet, key));
    return newestRun(owned(runs, metadata.uid));
  }

  /** All records of a StageSet, in no order. */
  async all(stageSet: StageSet, call: CallOptions): Promise<StageRun[]> {
    return await listRuns(this.#client, stageSet, call);
  }

  /** The highest number in the names of records under the label, whoever owns them; 0 for none. */
  async highest({ metadata }: StageSet, call: CallOptions): Promise<number> {
    const { name, namespace } = metadata;
    const scope = namespace === undefined ? {} : { namespace };
    const labelSelector = `${stageRunLabel}=${name}`;
    const query = { ...kind, ...scope, labelSelector, as: 'Metadata' } as const;
    const { items } = await this.#client.list(query, call);
    return Math.max(0, ...items.map((item) => numberIn(item.metadata.name, name) ?? 0));
  }
}

/** All records of a StageSet, in no order. */
export async function listRuns(
  client: KubernetesClient,
  { metadata }: StageSet,
  call: CallOptions,
): Promise<StageRun[]> {
  // No record has the label of a StageSet whose name is too long for one.
  if (metadata.name.length > longestLabel) return [];
  const scope = metadata.namespace === undefined ? {} : { namespace: metadata.namespace };
  const labelSelector = `${stageRunLabel}=${metadata.name}`;
  const { items } = await client.list({ ...kind, ...scope, labelSelector }, call);
  return owned(items, metadata.uid);
}

/** The newer of two copies of what may be one record. */
export function newerRecord(
  one: StageRun | undefined,
  other: StageRun | undefined,
): StageRun | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  if (one.metadata.uid !== other.metadata.uid) {
    return sequenceOf(one) >= sequenceOf(other) ? one : other;
  }
  return versionOf(one) >= versionOf(other) ? one : other;
}

/** resourceVersions of one resource are integers that grow (KEP-5504). */
function versionOf({ metadata }: StageRun): bigint {
  const version = metadata.resourceVersion ?? '';
  return /^\d+$/.test(version) ? BigInt(version) : 0n;
}

/** A record of a StageSet of the same name that existed before is another's. */
function owned(items: readonly KubernetesObject[], uid: string | undefined): StageRun[] {
  return items.flatMap((item) => {
    if (!isRunOf(item, uid)) return [];
    const parsed = parseStageRun(item);
    return parsed.ok ? [parsed.value] : [];
  });
}

function stageSetKeysOf({ metadata }: KubernetesObject): string[] {
  const stageSet = metadata.labels?.[stageRunLabel];
  return stageSet === undefined ? [] : [storeKey(metadata.namespace, stageSet)];
}

function advancesIn(object: KubernetesObject): number {
  const parsed = parseStageRun(object);
  return parsed.ok ? (parsed.value.status?.advances?.length ?? 0) : 0;
}
