import { groupOf } from '../core/objects/identity.ts';
import {
  type ArtifactOutcome,
  absentSource,
  artifactOf,
  chooseProduced,
  crossNamespaceFailure,
  leavesNamespace,
  producedBy,
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

/** A source as it was read. */
export interface SourceReading {
  readonly observation: SourceObservation;
  /** The object that has the artifact, or will have it; undefined where none was found. */
  readonly source?: KubernetesObject | undefined;
}

interface Offer {
  readonly outcome: ArtifactOutcome;
  readonly source?: KubernetesObject | undefined;
}

/**
 * Reads what sources say: those of stages as the controller, those of actions as the stage's account,
 * and those of migrations as the one of the whole StageSet (part A 9.1).
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
    return (await this.read(sourceRef, ownNamespace, call)).observation;
  }

  /** As `observeOne`, with the object itself, unless it is in another namespace. */
  async read(
    sourceRef: SourceReference,
    ownNamespace: string,
    call: CallOptions,
  ): Promise<SourceReading> {
    const foreign = leavesNamespace(sourceRef, ownNamespace);
    if (foreign && this.#options.crossNamespaceReferences === 'Refused') {
      return { observation: unavailable(crossNamespaceFailure(sourceRef, ownNamespace)) };
    }
    const route = sourceRoute(sourceRef, ownNamespace);
    if (route.kind === 'Invalid') return { observation: unavailable(route) };
    const reading = await this.#follow(route, call);
    if (!foreign) return reading;
    const { observation } = reading;
    return observation.kind === 'Unavailable'
      ? { observation: unavailable(crossNamespaceFailure(sourceRef, ownNamespace)) }
      : { observation };
  }

  async #follow(
    route: Exclude<SourceRoute, { kind: 'Invalid' }>,
    call: CallOptions,
  ): Promise<SourceReading> {
    try {
      const { outcome, source } = await (route.kind === 'Direct'
        ? this.#readDirect(route.source, call)
        : this.#readProduced(route, call));
      const observation = outcome.kind === 'Ready' ? ready(outcome.artifact) : unavailable(outcome);
      return { observation, source };
    } catch (error) {
      if (isInterruption(error)) throw error;
      const [source] = kindsOf(route);
      if (causedBy(error, isNoKindMatch) && source !== undefined) {
        this.#options.known?.missing(source);
      }
      const { reason, message, retry } = failureOf('resolve source', error);
      if (reason !== 'StageFailed') return { observation: unavailable({ reason, message }) };
      const failed = unavailable({ reason: 'ResolveFailed', message });
      return { observation: retry === 'Backoff' ? { ...failed, retry } : failed };
    }
  }

  async #readDirect(
    reference: ObjectReference & { namespace: string },
    call: CallOptions,
  ): Promise<Offer> {
    const known = await this.#options.known?.find(reference, call);
    // A watch may lag behind the object that a user has just created: ask before saying no.
    const source = known ?? (await this.#options.client.find(reference, call));
    const outcome = source === undefined ? absentSource(reference) : artifactOf(source);
    return { outcome, source };
  }

  async #readProduced(
    route: Extract<SourceRoute, { kind: 'Producer' }>,
    call: CallOptions,
  ): Promise<Offer> {
    const { artifacts, namespace } = route;
    const known = (await this.#options.known?.produced(route, call)) ?? [];
    if (known.length > 0) return produced(known, route);
    const { items } = await this.#options.client.list({ ...artifacts, namespace }, call);
    return produced(items, route);
  }
}

function produced(artifacts: readonly KubernetesObject[], route: Produced): Offer {
  const [only, ...others] = producedBy(artifacts, route.producer);
  const source = others.length === 0 ? only : undefined;
  return { outcome: chooseProduced(artifacts, route), source };
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
