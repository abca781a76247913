import { isRunOf, stageRunLabel } from '../../core/history/stage-run.ts';
import { seconds } from '../../core/time.ts';
import { parseStageRun, parseStageSet } from '../../core/validate/schema.ts';
import { isConflict, isNotFound } from '../../kubernetes/api-error.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import type { ListPage } from '../../kubernetes/lists.ts';
import { withoutManagedFields } from '../../kubernetes/store.ts';
import type { CallOptions } from '../../kubernetes/transport.ts';
import type { KubernetesObject } from '../../types/kubernetes.ts';
import {
  type StageRun,
  type StageRunStatus,
  type StageSet,
  stagesApiVersion,
} from '../../types/stages.ts';
import { group } from './group.ts';
import type { ApiRequest } from './resource.ts';
import { StatusError } from './status-error.ts';
import { answered, served } from './upstream.ts';

const stageSets = { apiVersion: stagesApiVersion, kind: 'StageSet' } as const;
const stageRuns = { apiVersion: stagesApiVersion, kind: 'StageRun' } as const;

/** For one call, repeats included; the request has a deadline of its own around all of them. */
const longestCall = seconds(10);

/** Bounds of one call for a request. */
export function callFor({ signal }: Pick<ApiRequest, 'signal'>): CallOptions {
  return { signal, timeout: longestCall };
}

/**
 * Reads StageSets and StageRuns as the server itself, always as they are stored now, for callers who
 * are authorized for what is made of them.
 */
export class Records {
  readonly #client: KubernetesClient;

  constructor(client: KubernetesClient) {
    this.#client = client;
  }

  /** @throws StatusError 404 when there is none. */
  async stageSet(namespace: string, name: string, call: CallOptions): Promise<KubernetesObject> {
    const reference = { ...stageSets, namespace, name };
    const found = await answered(this.#client.find(reference, call));
    if (found !== undefined) return found;
    throw StatusError.notFound({ group, resource: 'stagesets', name });
  }

  /** All records of the StageSet, the newest first. */
  async runs(stageSet: KubernetesObject, call: CallOptions): Promise<StageRun[]> {
    const items = await this.#runs(stageSet, 'Object', call);
    return items
      .flatMap((item) => narrowed(item) ?? [])
      .sort((one, other) => (other.spec?.sequence ?? 0) - (one.spec?.sequence ?? 0));
  }

  /** The newest record of the StageSet; the others are looked at by their names only. */
  async newest(stageSet: KubernetesObject, call: CallOptions): Promise<StageRun | undefined> {
    const { name, namespace = '' } = stageSet.metadata;
    const items = await this.#runs(stageSet, 'Metadata', call);
    const numbers = items.map(({ metadata }) => Number(metadata.name.slice(name.length + 1)));
    const newest = Math.max(0, ...numbers.filter(Number.isSafeInteger));
    if (newest === 0) return undefined;
    const reference = { ...stageRuns, namespace, name: `${name}-${newest}` };
    const found = await answered(this.#client.find(reference, call));
    return found === undefined ? undefined : narrowed(found);
  }

  async #runs(
    { metadata }: KubernetesObject,
    as: 'Object' | 'Metadata',
    call: CallOptions,
  ): Promise<KubernetesObject[]> {
    const { name, namespace = '', uid } = metadata;
    // No record has the label of a StageSet whose name is too long for one.
    if (name.length > longestLabel) return [];
    const query = { ...stageRuns, namespace, labelSelector: `${stageRunLabel}=${name}`, as };
    const { items } = await answered(this.#client.list(query, call));
    return items.filter((item) => isRunOf(item, uid));
  }

  /**
   * Stores the status of a run, unless the record has changed since it was read.
   * @returns undefined when it has.
   */
  async store(
    run: StageRun,
    { advances, stages }: StageRunStatus,
    call: CallOptions,
  ): Promise<StageRun | undefined> {
    const { uid, resourceVersion, name, namespace = '' } = run.metadata;
    // Only what an advance changes: everything else is the controller's to write.
    const status = { advances, ...(stages === run.status?.stages ? {} : { stages }) };
    const body = { metadata: { uid, resourceVersion }, status };
    try {
      const patch = { type: 'Merge', body, subresource: 'status', fieldManager } as const;
      const stored = await this.#client.patch({ ...stageRuns, namespace, name }, patch, call);
      return narrowed(stored);
    } catch (error) {
      if (isConflict(error) || isNotFound(error)) return undefined;
      throw served(error);
    }
  }

  /**
   * One page of StageSets by namespace and name, their metadata only.
   * @throws StatusError 410 when the token is too old.
   */
  async page(
    namespace: string | undefined,
    limit: number,
    continueToken: string | undefined,
    call: CallOptions,
  ): Promise<ListPage> {
    const scope = namespace === undefined ? {} : { namespace };
    const query = {
      ...stageSets,
      ...scope,
      as: 'Metadata',
      pageSize: limit,
      continueToken,
    } as const;
    return await answered(this.#client.page(query, call));
  }
}

const fieldManager = 'stageset-controller';
const longestLabel = 63;

function narrowed(object: KubernetesObject): StageRun | undefined {
  const parsed = parseStageRun(withoutManagedFields(object));
  return parsed.ok ? parsed.value : undefined;
}

/** @throws StatusError 500 for a stored object that the schema of its CRD would not take. */
export function asStageSet(object: KubernetesObject): StageSet {
  const parsed = parseStageSet(object);
  if (parsed.ok) return parsed.value;
  throw StatusError.internalError(
    'the stored StageSet is not valid by the schema of its definition: correct its spec',
  );
}
