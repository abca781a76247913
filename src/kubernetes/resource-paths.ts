import { TerminalError } from '../core/errors.ts';
import type { ObjectReference } from '../types/kubernetes.ts';
import type { ResourceMapping } from './discovery-documents.ts';
import { describeReference, groupVersionPath, parseApiVersion, segment } from './paths.ts';

/**
 * The path of one object or of its subresource. A namespace given for a cluster-scoped kind is left
 * out (part A 11, item 10).
 * @throws TerminalError for a namespaced kind without namespace, and for names that are no path
 *   segment.
 */
export function objectPath(
  mapping: ResourceMapping,
  reference: ObjectReference,
  subresource?: string,
): string {
  const collection = collectionPath(mapping, requiredNamespace(mapping, reference));
  const path = `${collection}/${segment(reference.name, 'name', reference)}`;
  return subresource === undefined ? path : `${path}/${segment(subresource, 'subresource')}`;
}

/** The path of all objects of a kind, in one namespace or in all of them. */
export function collectionPath(mapping: ResourceMapping, namespace: string | undefined): string {
  const base = groupVersionPath(parseApiVersion(mapping.apiVersion));
  return mapping.scope === 'Namespaced' && namespace !== undefined
    ? `${base}/namespaces/${segment(namespace, 'namespace')}/${mapping.resource}`
    : `${base}/${mapping.resource}`;
}

/** @throws TerminalError when the kind is namespaced and the reference names no namespace. */
export function requiredNamespace(
  mapping: ResourceMapping,
  reference: ObjectReference,
): string | undefined {
  if (mapping.scope === 'Cluster') return undefined;
  if (reference.namespace !== undefined && reference.namespace !== '') return reference.namespace;
  throw new TerminalError(
    `${describeReference(reference)} has no namespace, but ${mapping.kind} is a namespaced kind: set metadata.namespace`,
    { object: reference },
  );
}

/** Whether messages about this resource may quote what must not be quoted. */
export function holdsSecrets(mapping: ResourceMapping): boolean {
  return mapping.apiVersion === 'v1' && mapping.resource === 'secrets';
}
