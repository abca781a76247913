import type { JsonObject, KubernetesObject, ObjectReference } from '../../types/kubernetes.ts';
import type { SourceReference } from '../../types/stages.ts';
import type { PinnedArtifact } from '../pinned-artifact.ts';
import { cut } from '../validate/field-path.ts';
import { groupOf } from './identity.ts';

/** What a stage's source offers right now (part A 3.1). */
export type ArtifactOutcome =
  | { readonly kind: 'Ready'; readonly artifact: PinnedArtifact }
  | SourceFailure;

export type SourceFailure =
  | { readonly kind: 'NotReady'; readonly reason: 'SourceNotReady'; readonly message: string }
  | { readonly kind: 'Missing'; readonly reason: 'ArtifactNotFound'; readonly message: string }
  | { readonly kind: 'Unresolved'; readonly reason: 'ResolveFailed'; readonly message: string };

/** Which objects to read to find the artifact that a `sourceRef` means (part A 3.1). */
export type SourceRoute =
  /** Read this object; it has the artifact in its status. */
  | { readonly kind: 'Direct'; readonly source: ObjectReference & { namespace: string } }
  /** List the ExternalArtifacts of the namespace; the one that this producer made has it. */
  | {
      readonly kind: 'Producer';
      readonly artifacts: { readonly apiVersion: string; readonly kind: string };
      readonly namespace: string;
      readonly producer: ProducerReference;
    }
  | { readonly kind: 'Invalid'; readonly reason: 'InvalidSpec'; readonly message: string };

/** The object that produces ExternalArtifacts. Its API version does not matter, its group does. */
export interface ProducerReference {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
}

const fluxGroup = 'source.toolkit.fluxcd.io';
const fluxApiVersion = `${fluxGroup}/v1`;
const externalArtifact = 'ExternalArtifact';
const fluxSources: ReadonlySet<string> = new Set(['GitRepository', 'OCIRepository', 'Bucket']);

/**
 * The apiVersion that a `sourceRef` of this kind means when it has none; undefined for a producer,
 * whose group nobody can guess. No kind is ExternalArtifact.
 */
export function defaultApiVersion(kind: string | undefined): string | undefined {
  const known = kind === undefined || kind === '' || kind === externalArtifact;
  return known || fluxSources.has(kind) ? fluxApiVersion : undefined;
}

/** The way from a `sourceRef` to its artifact. An empty namespace is the StageSet's own. */
export function sourceRoute(reference: SourceReference, ownNamespace: string): SourceRoute {
  const { name } = reference;
  const kind =
    reference.kind === undefined || reference.kind === '' ? externalArtifact : reference.kind;
  const namespace = namespaceOf(reference, ownNamespace);
  if (kind === externalArtifact) {
    return { kind: 'Direct', source: { apiVersion: fluxApiVersion, kind, namespace, name } };
  }
  const apiVersion = reference.apiVersion ?? '';
  const group = groupOf(apiVersion);
  if (fluxSources.has(kind) && (apiVersion === '' || group === fluxGroup)) {
    const versioned = apiVersion === '' ? fluxApiVersion : apiVersion;
    return { kind: 'Direct', source: { apiVersion: versioned, kind, namespace, name } };
  }
  if (apiVersion === '') {
    return {
      kind: 'Invalid',
      reason: 'InvalidSpec',
      message:
        `sourceRef to ${cut(kind)} ${cut(name)} has no apiVersion: the API group of a producer of ` +
        'ExternalArtifacts is needed to find its artifact; set sourceRef.apiVersion',
    };
  }
  return {
    kind: 'Producer',
    artifacts: { apiVersion: fluxApiVersion, kind: externalArtifact },
    namespace,
    producer: { group, kind, name },
  };
}

/** The artifact of a source object that was read. */
export function artifactOf(source: KubernetesObject): ArtifactOutcome {
  const { name, namespace = '' } = source.metadata;
  const described = `${source.kind} ${namespace}/${name}`;
  const status = record(source['status']);
  const ready = readyCondition(status);
  if (ready?.['status'] !== 'True') {
    const message = text(ready?.['message']);
    return {
      kind: 'NotReady',
      reason: 'SourceNotReady',
      message: `${described} is not ready${message === '' ? '' : `: ${message}`}`,
    };
  }
  const artifact = record(status['artifact']);
  const url = text(artifact['url']);
  const digest = text(artifact['digest']);
  const absent = [url === '' ? 'url' : '', digest === '' ? 'digest' : ''].filter(Boolean);
  if (absent.length > 0) {
    return {
      kind: 'Missing',
      reason: 'ArtifactNotFound',
      message: `${described} has no artifact yet: status.artifact.${absent.join(' and ')} is empty`,
    };
  }

  return {
    kind: 'Ready',
    artifact: { source: `${namespace}/${name}`, url, digest, revision: text(artifact['revision']) },
  };
}

/** The outcome for a source object that does not exist. */
export function absentSource({ kind, namespace, name }: ObjectReference): ArtifactOutcome {
  return {
    kind: 'Missing',
    reason: 'ArtifactNotFound',
    message: `${kind} ${namespace ?? ''}/${name} does not exist`,
  };
}

/**
 * The artifact of the one ExternalArtifact whose `spec.sourceRef` names the producer, out of all of
 * the producer's namespace.
 */
export function chooseProduced(
  artifacts: readonly KubernetesObject[],
  { producer, namespace }: Extract<SourceRoute, { kind: 'Producer' }>,
): ArtifactOutcome {
  const produced = producedBy(artifacts, producer);
  const [only] = produced;
  const described = `${producer.kind}.${producer.group} ${namespace}/${producer.name}`;
  if (only === undefined) {
    return {
      kind: 'Missing',
      reason: 'ArtifactNotFound',
      message: `no ExternalArtifact in namespace ${namespace} was produced by ${described}`,
    };
  }
  if (produced.length > 1) {
    const names = produced.map(({ metadata }) => metadata.name).sort();
    return {
      kind: 'Unresolved',
      reason: 'ResolveFailed',
      message:
        `${described} produced more than one ExternalArtifact (${names.join(', ')}); ` +
        'refer to one of them by kind ExternalArtifact and its name',
    };
  }
  return artifactOf(only);
}

/** Whether a `sourceRef` leaves the StageSet's namespace: `--no-cross-namespace-refs` forbids it. */
export function leavesNamespace(reference: SourceReference, ownNamespace: string): boolean {
  return namespaceOf(reference, ownNamespace) !== ownNamespace;
}

/**
 * What is reported for any failure of a reference into another namespace, a forbidden one included.
 * It says nothing but what the spec says already, so that nobody can find out through their StageSet
 * what exists where they may not look (part A 3.1).
 */
export function crossNamespaceFailure(
  reference: SourceReference,
  ownNamespace: string,
): Extract<SourceFailure, { kind: 'Unresolved' }> {
  const kind =
    reference.kind === undefined || reference.kind === '' ? externalArtifact : reference.kind;
  const namespace = namespaceOf(reference, ownNamespace);
  return {
    kind: 'Unresolved',
    reason: 'ResolveFailed',
    message:
      `${kind} ${reference.name} in namespace ${namespace} cannot be used: ` +
      'references to other namespaces are forbidden here, or it has no artifact that is ready',
  };
}

function namespaceOf({ namespace }: SourceReference, ownNamespace: string): string {
  return namespace === undefined || namespace === '' ? ownNamespace : namespace;
}

/** Those of some ExternalArtifacts whose `spec.sourceRef` names the producer. */
export function producedBy(
  artifacts: readonly KubernetesObject[],
  producer: ProducerReference,
): KubernetesObject[] {
  return artifacts.filter((artifact) => {
    const { apiVersion, kind, name } = record(record(artifact['spec'])['sourceRef']);
    const sameObject = kind === producer.kind && name === producer.name;
    return sameObject && groupOf(text(apiVersion)) === producer.group;
  });
}

function readyCondition(status: JsonObject): JsonObject | undefined {
  const { conditions } = status;
  if (!Array.isArray(conditions)) return undefined;
  return (conditions as unknown[]).map(record).find(({ type }) => type === 'Ready');
}

function record(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
