import { groupOf } from '../core/objects/identity.ts';
import {
  type ArtifactOutcome,
  absentSource,
  artifactOf,
  chooseProduced,
  crossNamespaceFailure,
  leavesNamespace,
  type SourceRoute,
  sourceRoute,
} from '../core/objects/source-artifact.ts';
import type { PinnedArtifact } from '../core/pinned-artifact.ts';
import type { SourceObservation } from '../core/snapshot.ts';
import { isNoKindMatch } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject, ObjectReference } from '../types/kubernetes.ts';
import type { SourceReference, StageSet } from '../types/stages.ts';
import type { GroupKind } from './awaited-kinds.ts';
import { causedBy, failureOf, isInterruption } from './failure.ts';

type Direct = ObjectReference & { readonly namespace: string };
type Produced = Extract<SourceRoute, { kind: 'Producer' }>;

/** What is known of sources without asking the API server. */
interface KnownSources {
  readonly find: (source: Direct, call: CallOptions) => Promise<KubernetesObject | undefined>;
  readonly produced: (route: Produced, call: CallOptions) => Promise<readonly KubernetesObject[]>;
  /** Told of a kind that the API server does not serve. */
  readonly missing: (kind: GroupKind) => void;
}

export interface SourceReaderOptions {
  readonly client: KubernetesClient;
  readonly crossNamespaceReferences: 'Allowed' | 'Refused';
  /** Without it the API server is asked for each source. */
  readonly known?: KnownSources;
}

/**
 * Reads what sources say: those of stages as the controller, those of actions as the stage's account
 * (part A 9.1).
 */
export class SourceReader {
  readonly #options: SourceReaderOptions;

  constructor(options: SourceReaderOptions) {
    this.#options = options;
  }

  /** What each stage's source says now, in stage order. */
  async observe(stageSet: StageSet, call: CallOptions): Promise<SourceObservation[]> {
    const namespace = stageSet.metadata.namespace ?? '';
    const observations: SourceObservation[] = [];
    for (const { sourceRef } of stageSet.spec?.stages ?? []) {
      observations.push(await this.observeOne(sourceRef, namespace, call));
    }
    return observations;
  }

  /**
   * One source. Of another namespace's only the artifact is told, and any failure by one reason and
   * in one sentence, whatever it was (part A 3.1).
   */
  async observeOne(
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
        this.#options.known?.missing(source);
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
    const known = await this.#options.known?.find(reference, call);
    // A watch may lag behind the object that a user has just created: ask before saying no.
    const source = known ?? (await this.#options.client.find(reference, call));
    return source === undefined ? absentSource(reference) : artifactOf(source);
  }

  async #readProduced(
    route: Extract<SourceRoute, { kind: 'Producer' }>,
    call: CallOptions,
  ): Promise<ArtifactOutcome> {
    const { artifacts, namespace } = route;
    const known = (await this.#options.known?.produced(route, call)) ?? [];
    if (known.length > 0) return chooseProduced(known, route);
    const { items } = await this.#options.client.list({ ...artifacts, namespace }, call);
    return chooseProduced(items, route);
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

/** The kinds that must be served for a source: first the one that has the artifact. */
export function kindsOf(route: Exclude<SourceRoute, { kind: 'Invalid' }>): GroupKind[] {
  const { apiVersion, kind } = route.kind === 'Direct' ? route.source : route.artifacts;
  const artifacts = { group: groupOf(apiVersion), kind };
  return route.kind === 'Direct' ? [artifacts] : [artifacts, route.producer];
}
