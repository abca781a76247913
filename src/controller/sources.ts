import { groupOf } from '../core/objects/identity.ts';
import {
  type ArtifactOutcome,
  absentSource,
  artifactOf,
  chooseProduced,
  crossNamespaceFailure,
  leavesNamespace,
  type ProducerReference,
  type SourceRoute,
  sourceRoute,
} from '../core/objects/source-artifact.ts';
import type { PinnedArtifact } from '../core/run.ts';
import type { SourceObservation } from '../core/snapshot.ts';
import { isNoKindMatch } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { ReflectorEvent, ReflectorTrouble } from '../kubernetes/reflector.ts';
import { isJsonObject, objectAt, stringAt } from '../kubernetes/shapes.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject, ObjectReference } from '../types/kubernetes.ts';
import type { SourceReference, StageSet } from '../types/stages.ts';
import type { AwaitedKinds, GroupKind } from './awaited-kinds.ts';
import { causedBy, failureOf, isInterruption } from './failure.ts';
import { ProducerWatches } from './producer-watches.ts';
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
    const namespace = stageSet.metadata.namespace ?? '';
    const observations: SourceObservation[] = [];
    for (const { sourceRef } of stageSet.spec?.stages ?? []) {
      observations.push(await this.#observeOne(sourceRef, namespace, call));
    }
    return observations;
  }

  /** Wakes all who name a source of a kind that is served now. */
  served(kind: GroupKind): void {
    this.#options.onNews([kindKey(kind)]);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#watches.stop(), this.#producers.stop()]);
  }

  /**
   * One source. Of another namespace's only the artifact is told, and any failure by one reason and
   * in one sentence, whatever it was (part A 3.1).
   */
  async #observeOne(
    sourceRef: SourceReference,
    ownNamespace: string,
    call: CallOptions,
  ): Promise<SourceObservation> {
    const foreign = leavesNamespace(sourceRef, ownNamespace);
    if (foreign && this.#options.crossNamespaceReferences === 'Refused') {
      return unavailable(crossNamespaceFailure(sourceRef, ownNamespace));
    }
    const route = sourceRoute(sourceRef, ownNamespace);
    if (route.kind === 'Invalid') return unavailable(route);
    const observation = await this.#follow(route, call);
    return foreign && observation.kind === 'Unavailable'
      ? unavailable(crossNamespaceFailure(sourceRef, ownNamespace))
      : observation;
  }

  async #follow(
    route: Exclude<SourceRoute, { kind: 'Invalid' }>,
    call: CallOptions,
  ): Promise<SourceObservation> {
    try {
      const outcome = await (route.kind === 'Direct'
        ? this.#readDirect(route.source, call)
        : this.#readProduced(route, call));
      return outcome.kind === 'Ready' ? ready(outcome.artifact) : unavailable(outcome);
    } catch (error) {
      if (isInterruption(error)) throw error;
      const [source] = kindsOf(route);
      if (causedBy(error, isNoKindMatch) && source !== undefined) {
        this.#options.awaitedKinds.add(source);
      }
      const { reason, message, retry } = failureOf('resolve source', error);
      if (reason !== 'StageFailed') return unavailable({ reason, message });
      const failed = unavailable({ reason: 'ResolveFailed', message });
      return retry === 'Backoff' ? { ...failed, retry } : failed;
    }
  }

  async #readDirect(
    reference: ObjectReference & { namespace: string },
    call: CallOptions,
  ): Promise<ArtifactOutcome> {
    const store = await this.#watches.storeOf(reference, reference.namespace, call);
    const known = store?.get(reference.namespace, reference.name);
    // A watch may lag behind the object that a user has just created: ask before saying no.
    const source = known ?? (await this.#options.client.find(reference, call));
    return source === undefined ? absentSource(reference) : artifactOf(source);
  }

  async #readProduced(
    route: Extract<SourceRoute, { kind: 'Producer' }>,
    call: CallOptions,
  ): Promise<ArtifactOutcome> {
    const { artifacts, namespace, producer } = route;
    await this.#producers.watch(producer, namespace, call);
    const store = await this.#watches.storeOf(artifacts, namespace, call);
    const known = store?.indexed(byProducer, producerKey(producer, namespace)) ?? [];
    if (known.length > 0) return chooseProduced(known, route);
    const { items } = await this.#options.client.list({ ...artifacts, namespace }, call);
    return chooseProduced(items, route);
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

function ready(artifact: PinnedArtifact): SourceObservation {
  // A revision is opaque, but something must tell one from the next.
  const revision = artifact.revision === '' ? artifact.digest : artifact.revision;
  return { kind: 'Ready', artifact: { ...artifact, revision } };
}

function unavailable({
  reason,
  message,
}: {
  reason: string;
  message: string;
}): Extract<SourceObservation, { kind: 'Unavailable' }> {
  return { kind: 'Unavailable', reason, message };
}

/** A heartbeat of a source's controller changes neither the artifact nor whether it is ready. */
function sameNews(one: KubernetesObject, other: KubernetesObject): boolean {
  const [left, right] = [artifactOf(one), artifactOf(other)];
  return JSON.stringify(left) === JSON.stringify(right);
}

/** The kinds that must be served for a source: first the one that has the artifact. */
function kindsOf(route: Exclude<SourceRoute, { kind: 'Invalid' }>): GroupKind[] {
  const { apiVersion, kind } = route.kind === 'Direct' ? route.source : route.artifacts;
  const artifacts = { group: groupOf(apiVersion), kind };
  return route.kind === 'Direct' ? [artifacts] : [artifacts, route.producer];
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
