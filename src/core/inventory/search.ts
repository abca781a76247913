import { groupOf } from '../objects/identity.ts';
import { type GroupKind, readApplySet } from './apply-set.ts';
import { parseEntry } from './entry.ts';
import type { ShardedRecord } from './lost.ts';

/** Where to look for objects that no record lists any more. */
export interface Search {
  /** Each once. */
  readonly kinds: readonly GroupKind[];
  /** For those who may not list all namespaces; sorted, each once. */
  readonly namespaces: readonly string[];
}

/**
 * What surviving records name, besides what is rendered now: the kinds and namespaces of their
 * entries, and those that the annotations of their ApplySet name, which tell of lost shards too.
 */
export function searchFor(
  rendered: readonly { readonly id: string; readonly v: string }[],
  records: readonly ShardedRecord[],
  home: string,
): Search {
  const kinds = new Map<string, GroupKind>();
  const namespaces = new Set([home]);
  const add = (kind: GroupKind): void => {
    kinds.set(`${kind.kind}.${kind.group}`, kind);
  };
  for (const entry of [...rendered, ...records.flatMap(({ entries }) => entries)]) {
    const reference = parseEntry(entry);
    if (reference === undefined) continue;
    add({ group: groupOf(reference.apiVersion), kind: reference.kind });
    if (reference.namespace !== undefined) namespaces.add(reference.namespace);
  }
  for (const { metadata } of records.flatMap(({ shards }) => shards)) {
    const named = readApplySet(metadata.annotations);
    for (const kind of named.kinds) add(kind);
    for (const namespace of named.namespaces) namespaces.add(namespace);
  }
  return { kinds: [...kinds.values()], namespaces: [...namespaces].sort() };
}
