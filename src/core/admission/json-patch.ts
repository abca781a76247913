import type { JsonObject } from '../../types/kubernetes.ts';
import { canonicalJson } from '../canonical-json.ts';

/** One step of a JSON Patch (RFC 6902); `path` is a JSON Pointer (RFC 6901). */
export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/** What a mutating webhook does about a request: nothing where both are empty. */
export interface Mutation {
  /** Sorted by path; no two of the same path, and none within another's. */
  readonly patch: readonly PatchOperation[];
  readonly warnings: readonly string[];
}

export const noMutation: Mutation = { patch: [], warnings: [] };

/** The JSON Pointer of a field by the names and indices on the way to it. */
export function pointer(...way: readonly (string | number)[]): string {
  return way.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** The operations in the order of their paths, so that equal requests get equal patches. */
export function sorted(operations: readonly PatchOperation[]): PatchOperation[] {
  return [...operations].sort((one, other) => (one.path < other.path ? -1 : 1));
}

/**
 * The operations that turn a map of texts, such as labels, into one with these entries; undefined
 * takes an entry away. A map that is not there is added with all of them.
 */
export function patchOfMap(
  at: string,
  map: unknown,
  wanted: Readonly<Record<string, string | undefined>>,
): PatchOperation[] {
  const entries = Object.entries(wanted);
  if (typeof map !== 'object' || map === null) {
    const added = entries.filter(([, value]) => value !== undefined);
    return added.length === 0 ? [] : [{ op: 'add', path: at, value: Object.fromEntries(added) }];
  }
  const before = new Map<string, unknown>(Object.entries(map));
  return entries.flatMap(([key, value]): PatchOperation[] => {
    const path = at + pointer(key);
    if (!before.has(key)) return value === undefined ? [] : [{ op: 'add', path, value }];
    if (value === undefined) return [{ op: 'remove', path }];
    const same = canonicalJson(before.get(key)) === canonicalJson(value);
    return same ? [] : [{ op: 'replace', path, value }];
  });
}

/** An object with fields set as a patch of ours would set them; undefined where it has no such place. */
export function withFields(
  object: JsonObject,
  patch: readonly PatchOperation[],
): JsonObject | undefined {
  const copy = structuredClone(object);
  for (const operation of patch) {
    const way = operation.path.split('/').slice(1).map(plain);
    const last = way.pop() ?? '';
    let parent: unknown = copy;
    for (const part of way) parent = isParent(parent) ? parent[part] : undefined;
    if (!isParent(parent) || operation.op === 'remove') return undefined;
    parent[last] = operation.value;
  }
  return copy;
}

function plain(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** A list is one, too, by its indices. */
function isParent(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null;
}
