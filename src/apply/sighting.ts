import { longestLabel } from '../core/objects/label-value.ts';
import { nameLabel, namespaceLabel } from '../core/objects/ownership.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { type AppliedRecord, metadataDigest, untouchedSince } from './applied-memory.ts';

/** What a watch saw of one applied object. */
export type Sighting =
  | { readonly kind: 'There'; readonly object: KubernetesObject }
  | { readonly kind: 'Gone'; readonly uid: string };

/**
 * What is kept of an object that is followed: its metadata's identity and versions, and the
 * `namespace/name` of the StageSet that its labels name. The digest of the labels and annotations is
 * there while the event is handled, and is then dropped by `forgetDigest`.
 */
export function slimmed(
  object: KubernetesObject,
  intern: (stageSet: string) => string,
): KubernetesObject {
  const { apiVersion, kind, metadata } = object;
  const { name, namespace, uid, resourceVersion, generation, deletionTimestamp, labels } = metadata;
  const owner = [labels?.[namespaceLabel], labels?.[nameLabel]];
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(generation === undefined ? {} : { generation }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
    stageSet: owner.every(isLabel) ? intern(owner.join('/')) : undefined,
    digest: metadataDigest(object),
  };
}

/** A server that is a tenant's own may send anything as one, and it is kept. */
function isLabel(value: unknown): boolean {
  return typeof value === 'string' && value.length <= longestLabel;
}

/** Key of the StageSet that the object's labels name; a tenant's text. */
export function stageSetNamedBy({ stageSet }: KubernetesObject): string | undefined {
  return typeof stageSet === 'string' ? stageSet : undefined;
}

/** A hundred thousand objects are kept: what the next event does not need must go. */
export function forgetDigest(object: KubernetesObject): void {
  object['digest'] = undefined;
}

/**
 * Whether a sighting is no news to the one who applied the object: it is the write itself or a state
 * before it, a status update, or the end of an object that has been replaced since.
 */
export function explains(record: AppliedRecord, sighting: Sighting): boolean {
  if (sighting.kind === 'Gone') return sighting.uid !== record.uid;
  const { object } = sighting;
  if (isOlder(object.metadata.resourceVersion ?? '', record.resourceVersion)) return true;
  return untouchedSince(record, object, digestOfSighting);
}

function digestOfSighting({ digest }: KubernetesObject): string {
  return typeof digest === 'string' ? digest : '';
}

/** resourceVersions of one resource are integers that grow (KEP-5504). */
function isOlder(one: string, other: string): boolean {
  return one.length === other.length ? one < other : one.length < other.length;
}
