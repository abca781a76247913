import type { ObjectReference } from '../../types/kubernetes.ts';
import type { InventoryEntry } from '../../types/stages.ts';
import { TerminalError } from '../errors.ts';
import {
  apiVersionOf,
  type Identifiable,
  identityOf,
  referenceTo,
  versionOf,
} from '../objects/identity.ts';

/**
 * An object as a StageInventory lists it (part A 5.7): `id` is `namespace_name_group_kind` with an
 * empty namespace for a cluster-scoped object and an empty group for core, `v` the version alone.
 */
export function entryOf(object: Identifiable): InventoryEntry {
  return { id: identityOf(object), v: versionOf(object.apiVersion) };
}

/**
 * The object that an entry lists, or undefined for a malformed one. Only names may contain an
 * underscore (those of RBAC objects do), so the namespace is split off from the front, kind and
 * group from the back. A `v` of the form `group/version` is accepted too.
 */
export function parseEntry({ id, v }: InventoryEntry): ObjectReference | undefined {
  const afterNamespace = id.indexOf('_');
  const beforeKind = id.lastIndexOf('_');
  const beforeGroup = id.slice(0, Math.max(beforeKind, 0)).lastIndexOf('_');
  if (beforeGroup <= afterNamespace) return undefined;
  const namespace = id.slice(0, afterNamespace);
  const name = id.slice(afterNamespace + 1, beforeGroup);
  const group = id.slice(beforeGroup + 1, beforeKind);
  const kind = id.slice(beforeKind + 1);
  const version = versionOf(v);
  if (name === '' || kind === '' || version === '') return undefined;
  return referenceTo({ apiVersion: apiVersionOf(group, version), kind, namespace, name });
}

/**
 * The object that an entry lists.
 *
 * @throws TerminalError for a malformed entry; those that were read back have been sorted out.
 */
export function referenceOf(entry: InventoryEntry): ObjectReference {
  const reference = parseEntry(entry);
  if (reference !== undefined) return reference;
  throw new TerminalError(
    `inventory entry ${JSON.stringify(entry)} is malformed: id must be namespace_name_group_kind ` +
      'and v a version such as v1',
  );
}
