import { groupOf } from '../core/objects/identity.ts';
import {
  artifactOf,
  type ProducerReference,
  sourceRoute,
} from '../core/objects/source-artifact.ts';
import type { SourceObservation } from '../core/snapshot.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { ReflectorEvent, ReflectorTrouble } from '../kubernetes/reflector.ts';
import { isJsonObject, objectAt, stringAt } from '../kubernetes/shapes.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject, ObjectReference } from '../types/kubernetes.ts';
import type { StageSet } from '../types/stages.ts';
import type { AwaitedKinds, GroupKind } from './awaited-kinds.ts';
import { ProducerWatches } from './producer-watches.ts';
import { kindsOf, SourceReader } from './source-reader.ts';
import { SourceWatches } from './source-watches.ts';

export interface SourcesOptions {
  readonly client: KubernetesClient;
  /** Empty watches the whole cluster. */
  readonly watchNamespaces: readonly string[];
  readonly crossNamespaceReferences: 'Allowed' | 'Refused';
  readonly awaitedKinds: AwaitedKinds;
  /** Told of the keys under which StageSets name a source that has news. */
  readonly onNews: (sourceKeys: readonly string[]) => void;
  readonly onTrouble: (gvk: string, trouble: ReflectorTrouble | undefined) => void;
}

const byProducer = 'producer';

/** Finds out what the sources of a StageSet say. They are read as the controller (part A 9.1). */
export class Sources {
  readonly #options: SourcesOptions;
  readonly #watches: SourceWatches;
  readonly #producers: ProducerWatches;
  readonly #reader: SourceReader;

  constructor(options: SourcesOptions) {
    this.#options = options;
    this.#watches = new SourceWatches({
      client: options.client,
      namespaces: options.watchNamespaces,
      indexers: { [byProducer]: (object) => producerKeysOf(object) },
      onEvent: (event) => this.#see(event),
      onTrouble: options.onTrouble,
    });
    this.#producers = new ProducerWatches({
      ...options,
      namespaces: options.watchNamespaces,
      onNews: (group, { kind, metadata }) => {
        const { name, namespace = '' } = metadata;
        options.onNews([producerKey({ group, kind, name }, namespace)]);
      },
    });
    const { client, crossNamespaceReferences, awaitedKinds } = options;
    this.#reader = new SourceReader({
      client,
      crossNamespaceReferences,
      known: {
        find: async (source, call) => {
          const store = await this.#watches.storeOf(source, source.namespace, call);
          return store?.get(source.namespace, source.name);
        },
        produced: async ({ artifacts, namespace, producer }, call) => {
          await this.#producers.watch(producer, namespace, call);
          const store = await this.#watches.storeOf(artifacts, namespace, call);
          return store?.indexed(byProducer, producerKey(producer, namespace)) ?? [];
        },
        missing: (kind) => awaitedKinds.add(kind),
      },
    });
  }

  /** The keys of the sources that a StageSet names, for its index. */
  keysOf(stageSet: StageSet): string[] {
    const namespace = stageSet.metadata.namespace ?? '';
    return (stageSet.spec?.stages ?? []).flatMap(({ sourceRef }) => {
      const route = sourceRoute(sourceRef, namespace);
      if (route.kind === 'Invalid') return [];
      const served = kindsOf(route).map(kindKey);
      if (route.kind === 'Direct') return [directKey(route.source), ...served];
      return [producerKey(route.producer, route.namespace), ...served];
    });
  }

  /** What each stage's source says now, in stage order. */
  async observe(stageSet: StageSet, call: CallOptions): Promise<SourceObservation[]> {
    return await this.#reader.observe(stageSet, call);
  }

  /** Wakes all who name a source of a kind that is served now. */
  served(kind: GroupKind): void {
    this.#options.onNews([kindKey(kind)]);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#watches.stop(), this.#producers.stop()]);
  }

  #see(event: ReflectorEvent): void {
    if (event.type === 'Synced') return;
    const { object } = event;
    if (event.type === 'Modified' && sameNews(event.previous, object)) return;
    const { apiVersion, kind, metadata } = object;
    const { name, namespace = '' } = metadata;
    this.#options.onNews([
      directKey({ apiVersion, kind, namespace, name }),
      ...producerKeysOf(object),
    ]);
  }
}

/** A heartbeat of a source's controller changes neither the artifact nor whether it is ready. */
function sameNews(one: KubernetesObject, other: KubernetesObject): boolean {
  const [left, right] = [artifactOf(one), artifactOf(other)];
  return JSON.stringify(left) === JSON.stringify(right);
}

function kindKey({ group, kind }: GroupKind): string {
  return `kind|${group}|${kind}`;
}

function directKey({ apiVersion, kind, namespace, name }: ObjectReference): string {
  return `direct|${groupOf(apiVersion)}|${kind}|${namespace ?? ''}|${name}`;
}

function producerKey({ group, kind, name }: ProducerReference, namespace: string): string {
  return `produced|${group}|${kind}|${namespace}|${name}`;
}

/** The key of the producer that an ExternalArtifact points back to. */
function producerKeysOf({ metadata, spec }: KubernetesObject): string[] {
  const back = objectAt(isJsonObject(spec) ? spec : {}, 'sourceRef');
  const [kind, name] = [stringAt(back, 'kind'), stringAt(back, 'name')];
  if (kind === undefined || name === undefined) return [];
  const group = groupOf(stringAt(back, 'apiVersion') ?? '');
  return [producerKey({ group, kind, name }, metadata.namespace ?? '')];
}
