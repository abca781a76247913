import { packFiles } from '../dev/artifacts/pack.ts';
import { type Publication, publish } from '../dev/artifacts/publish.ts';
import type { Playground } from '../dev/playground.ts';
import { entryOf } from '../src/core/inventory/entry.ts';
import { parseStageSet } from '../src/core/validate/schema.ts';
import type { KubernetesClient } from '../src/kubernetes/client.ts';
import type { CallOptions } from '../src/kubernetes/transport.ts';
import type { KubernetesObject, ObjectReference } from '../src/types/kubernetes.ts';
import { type StageSet, stagesApiVersion } from '../src/types/stages.ts';
import { reportDeployment } from './deployments.ts';
import { type Collection, type Patience, untilObjects } from './watching.ts';

/** What every StageSet of these tests is called; each is in a namespace of its own. */
const stageSetName = 'shop';

let namespaces = 0;

/** A namespace of one test: publishes sources into it and watches what the controller does there. */
export class TestNamespace {
  readonly name: string;
  readonly playground: Playground;

  private constructor(name: string, playground: Playground) {
    this.name = name;
    this.playground = playground;
  }

  static async create(playground: Playground): Promise<TestNamespace> {
    namespaces += 1;
    const created = new TestNamespace(`shop-${namespaces}`, playground);
    const metadata = { name: created.name };
    await created.client.create(
      { apiVersion: 'v1', kind: 'Namespace', metadata },
      {},
      created.call,
    );
    return created;
  }

  get client(): KubernetesClient {
    return this.playground.client;
  }

  /** Half a minute for what takes milliseconds. */
  get call(): CallOptions {
    return { signal: AbortSignal.timeout(30_000) };
  }

  /** Publishes objects as a source's new revision, as one multi-document file. */
  async publish(
    source: string,
    revision: string,
    objects: readonly KubernetesObject[],
    publication: Partial<Publication> = {},
  ): Promise<void> {
    const documents = objects.map((object) => JSON.stringify(object)).join('\n---\n');
    await this.publishFiles(source, revision, { 'objects.yaml': documents }, publication);
  }

  async publishFiles(
    source: string,
    revision: string,
    files: Readonly<Record<string, string>>,
    publication: Partial<Publication> = {},
  ): Promise<void> {
    const { artifacts } = this.playground;
    const where = { namespace: this.name, name: source, revision, ...publication };
    await publish(this.client, artifacts, where, await packFiles(files));
  }

  /** Creates the StageSet; a stage that is only a name has the source of that name. */
  async createStageSet(
    stages: readonly (string | Record<string, unknown>)[],
    spec: Record<string, unknown> = {},
  ): Promise<void> {
    const body = { interval: '1h', ...spec, stages: stages.map(stageOf) };
    const stageSet: KubernetesObject = {
      apiVersion: stagesApiVersion,
      kind: 'StageSet',
      metadata: { name: stageSetName, namespace: this.name },
      spec: body,
    };
    await this.client.create(stageSet, {}, this.call);
  }

  async changeSpec(spec: Record<string, unknown>): Promise<void> {
    await this.#patchStageSet({ spec });
  }

  async changeStages(stages: readonly (string | Record<string, unknown>)[]): Promise<void> {
    await this.changeSpec({ stages: stages.map(stageOf) });
  }

  /** Asks for a reconcile, as `flux reconcile` does. */
  async request(token: string): Promise<void> {
    await this.#patchStageSet({
      metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': token } },
    });
  }

  async annotate(annotations: Record<string, string>): Promise<void> {
    await this.#patchStageSet({ metadata: { annotations } });
  }

  async deleteStageSet(): Promise<void> {
    await this.client.delete(this.#stageSet, {}, this.call);
  }

  /** The StageSet as soon as `judge` says yes. */
  async untilStageSet(
    judge: (stageSet: StageSet) => boolean,
    patience?: Patience,
  ): Promise<StageSet> {
    return await untilObjects(
      this.client,
      this.#query(stagesApiVersion, 'StageSet', { fieldSelector: `metadata.name=${stageSetName}` }),
      (objects) => {
        const object = objects.get(stageSetName);
        if (object === undefined) return undefined;
        const parsed = parseStageSet(object);
        if (!parsed.ok) throw new Error(`not a StageSet: ${JSON.stringify(parsed.problems)}`);
        return judge(parsed.value) ? parsed.value : undefined;
      },
      patience,
    );
  }

  /** The StageSet once it is Ready, with every stage at this revision where one is named. */
  async untilReady(revision?: string, patience?: Patience): Promise<StageSet> {
    return await this.untilStageSet((stageSet) => {
      const { spec, status, metadata } = stageSet;
      if (readyOf(stageSet)?.status !== 'True') return false;
      if (status?.observedGeneration !== metadata.generation) return false;
      const there = status?.stages?.filter(({ appliedRevision = '' }) =>
        revision === undefined ? true : appliedRevision === revision,
      );
      return there?.length === spec?.stages.length;
    }, patience);
  }

  /** The message of the Ready condition once it has this reason for the spec as it is now. */
  async untilReason(reason: string, patience?: Patience): Promise<string> {
    const stageSet = await this.untilStageSet((seen) => {
      const ready = readyOf(seen);
      return ready?.reason === reason && ready.observedGeneration === seen.metadata.generation;
    }, patience);
    return readyOf(stageSet)?.message ?? '';
  }

  /** The message of the Ready condition once it is as `judge` wants it. */
  async untilMessage(judge: (message: string) => boolean, patience?: Patience): Promise<string> {
    const messageOf = (stageSet: StageSet): string => readyOf(stageSet)?.message ?? '';
    return messageOf(await this.untilStageSet((seen) => judge(messageOf(seen)), patience));
  }

  /** The StageSet once one of its stages is in this phase. */
  async untilPhase(stage: string, phase: string, patience?: Patience): Promise<StageSet> {
    return await this.untilStageSet(
      ({ status }) => status?.stages?.find(({ name }) => name === stage)?.phase === phase,
      patience,
    );
  }

  async untilStageSetGone(patience?: Patience): Promise<void> {
    await this.untilCollection(
      { apiVersion: stagesApiVersion, kind: 'StageSet' },
      (objects) => !objects.has(stageSetName),
      patience,
    );
  }

  /** The objects of a kind once `judge` says yes. */
  async untilCollection(
    { apiVersion, kind }: { apiVersion: string; kind: string },
    judge: (objects: Collection) => boolean,
    patience?: Patience,
  ): Promise<Collection> {
    return await untilObjects(
      this.client,
      this.#query(apiVersion, kind),
      (objects) => (judge(objects) ? new Map(objects) : undefined),
      patience,
    );
  }

  /** The object once it is there, and as `judge` wants it. */
  async untilObject(
    { apiVersion, kind, metadata }: KubernetesObject,
    judge: (object: KubernetesObject) => boolean = () => true,
    patience?: Patience,
  ): Promise<KubernetesObject> {
    const found = await this.untilCollection(
      { apiVersion, kind },
      (objects) => {
        const object = objects.get(metadata.name);
        return object !== undefined && judge(object);
      },
      patience,
    );
    const object = found.get(metadata.name);
    if (object === undefined) throw new Error(`${kind} ${metadata.name} went away again`);
    return object;
  }

  /** Waits until the Deployment is there and says of it what a running cluster would say. */
  async reportDeployment(name: string, state: 'Available' | 'Stuck'): Promise<KubernetesObject> {
    const metadata = { name };
    await this.untilObject({ apiVersion: 'apps/v1', kind: 'Deployment', metadata });
    return await reportDeployment(this.client, this.name, name, state);
  }

  /** Notes of the events about the StageSet with this reason, once there is one. */
  async untilEvent(reason: string): Promise<KubernetesObject> {
    const events = await this.untilCollection(
      eventKind,
      (seen) => eventsOf(seen, reason).length > 0,
    );
    const [event] = eventsOf(events, reason);
    if (event === undefined) throw new Error(`no event ${reason}`);
    return event;
  }

  /** Reasons of all events about the StageSet so far. */
  async eventReasons(): Promise<string[]> {
    const { items } = await this.client.list({ ...eventKind, namespace: this.name }, this.call);
    return items.filter(isAboutStageSet).map((event) => String(event['reason']));
  }

  /** Notes of all events about the StageSet with this reason so far. */
  async eventNotes(reason: string): Promise<string[]> {
    const { items } = await this.client.list({ ...eventKind, namespace: this.name }, this.call);
    return items
      .filter((event) => isAboutStageSet(event) && event['reason'] === reason)
      .map((event) => String(event['note']));
  }

  /** Creates an object of the test's own in this namespace. */
  async create(object: KubernetesObject): Promise<KubernetesObject> {
    const metadata = { ...object.metadata, namespace: this.name };
    return await this.client.create({ ...object, metadata }, {}, this.call);
  }

  /** Merges into an object, as a person with kubectl would. */
  async patch(object: KubernetesObject, body: unknown): Promise<KubernetesObject> {
    return await this.client.patch(this.#referTo(object), { type: 'Merge', body }, this.call);
  }

  async find(object: KubernetesObject): Promise<KubernetesObject | undefined> {
    return await this.client.find(this.#referTo(object), this.call);
  }

  async delete(object: KubernetesObject): Promise<void> {
    await this.client.delete(this.#referTo(object), {}, this.call);
  }

  /** Names of the ConfigMaps of this namespace that a StageSet made. */
  async configMapNames(): Promise<string[]> {
    return (await this.owned('v1', 'ConfigMap')).map(({ metadata }) => metadata.name).sort();
  }

  /** resourceVersion of each ConfigMap that a StageSet made. */
  async configMapVersions(): Promise<Record<string, string>> {
    const owned = await this.owned('v1', 'ConfigMap');
    return Object.fromEntries(
      owned.map(({ metadata }) => [metadata.name, metadata.resourceVersion ?? '']),
    );
  }

  /** The objects of a kind that carry the StageSet's labels. */
  async owned(apiVersion: string, kind: string): Promise<KubernetesObject[]> {
    const labelSelector = `stages.metio.wtf/name=${stageSetName},stages.metio.wtf/namespace=${this.name}`;
    const query = this.#query(apiVersion, kind, { labelSelector });
    return (await this.client.list(query, this.call)).items;
  }

  /** Inventory ids of all objects of some kinds that carry the StageSet's labels, by stage. */
  async ownedByStage(
    kinds: readonly (readonly [string, string])[],
  ): Promise<Record<string, string[]>> {
    const byStage: Record<string, string[]> = {};
    for (const [apiVersion, kind] of kinds) {
      for (const object of await this.owned(apiVersion, kind)) {
        const stage = object.metadata.labels?.['stages.metio.wtf/stage'] ?? '';
        (byStage[stage] ??= []).push(entryOf(object).id);
      }
    }
    for (const ids of Object.values(byStage)) ids.sort();
    return byStage;
  }

  /** Entry ids of the StageInventories, by stage. */
  async inventories(): Promise<Record<string, string[]>> {
    const query = this.#query(stagesApiVersion, 'StageInventory');
    const byStage: Record<string, string[]> = {};
    for (const { metadata, spec } of (await this.client.list(query, this.call)).items) {
      const stage = metadata.labels?.['stages.metio.wtf/stage'] ?? '';
      (byStage[stage] ??= []).push(...idsOf(spec));
    }
    for (const ids of Object.values(byStage)) ids.sort();
    return byStage;
  }

  get #stageSet(): ObjectReference {
    const [apiVersion, kind] = [stagesApiVersion, 'StageSet'];
    return { apiVersion, kind, namespace: this.name, name: stageSetName };
  }

  async #patchStageSet(body: unknown): Promise<void> {
    await this.client.patch(this.#stageSet, { type: 'Merge', body }, this.call);
  }

  #referTo({ apiVersion, kind, metadata }: KubernetesObject): ObjectReference {
    return { apiVersion, kind, namespace: this.name, name: metadata.name };
  }

  #query(
    apiVersion: string,
    kind: string,
    more: { fieldSelector?: string; labelSelector?: string } = {},
  ): { apiVersion: string; kind: string; namespace: string } {
    return { apiVersion, kind, namespace: this.name, ...more };
  }
}

export type ReadyCondition = NonNullable<NonNullable<StageSet['status']>['conditions']>[number];

export function readyOf({ status }: StageSet): ReadyCondition | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready');
}

/** Phase of each stage in spec order. */
export function phasesOf({ status }: StageSet): string[] {
  return (status?.stages ?? []).map(({ phase = 'none' }) => phase);
}

const eventKind = { apiVersion: 'events.k8s.io/v1', kind: 'Event' };

function eventsOf(events: Collection, reason: string): KubernetesObject[] {
  return [...events.values()].filter(
    (event) => isAboutStageSet(event) && event['reason'] === reason,
  );
}

function isAboutStageSet({ regarding }: KubernetesObject): boolean {
  return JSON.stringify(regarding ?? {}).includes('"kind":"StageSet"');
}

function stageOf(stage: string | Record<string, unknown>): Record<string, unknown> {
  return typeof stage === 'string'
    ? { name: stage, sourceRef: { name: stage } }
    : { sourceRef: { name: stage['name'] }, ...stage };
}

function idsOf(spec: unknown): string[] {
  const entries: unknown = JSON.parse(JSON.stringify(spec ?? {}));
  if (typeof entries !== 'object' || entries === null || !('entries' in entries)) return [];
  return Array.isArray(entries.entries)
    ? entries.entries.map((entry: { id: string }) => entry.id)
    : [];
}
