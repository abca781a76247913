import type { JsonObject, KubernetesObject } from '../../types/kubernetes.ts';
import { isJsonObject } from '../validate/json-object.ts';

/** One operation of a JSON patch (RFC 6902). */
export type PatchOperation =
  | { readonly op: 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/** Where `kubectl apply` without `--server-side` keeps what it applied last. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** Who writes by update what a later apply would have to own in order to remove it. */
const predecessors = new Set(['kubectl-client-side-apply', 'kubectl', 'before-first-apply']);

/**
 * The patch that hands a live object from `kubectl apply` over to a field manager, as client-go's
 * `csaupgrade` does: the fields that kubectl managed become the manager's own, so that its next apply
 * removes those that the manifest no longer has. Undefined when there is nothing to hand over.
 *
 * Replacing the resourceVersion by itself makes the server refuse the patch when the object has
 * changed since it was read.
 */
export function takeOverPatch(
  live: KubernetesObject,
  manager: string,
): PatchOperation[] | undefined {
  const entries = (live.metadata.managedFields ?? []).filter(isJsonObject);
  const handed = entries.filter((entry) => isPredecessor(entry, manager));
  const annotated = live.metadata.annotations?.[lastApplied] !== undefined;
  if (handed.length === 0 && !annotated) return undefined;
  return [
    ...(handed.length === 0
      ? []
      : [
          {
            op: 'replace',
            path: '/metadata/managedFields',
            value: withOneOwner(entries, handed, manager),
          } as const,
        ]),
    ...(annotated
      ? [{ op: 'remove', path: `/metadata/annotations/${escaped(lastApplied)}` } as const]
      : []),
    { op: 'replace', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion },
  ];
}

/** Whether the server has just put fields of unknown origin under the name that it has for them. */
export function hasUnknownOrigin({ metadata }: KubernetesObject): boolean {
  return (metadata.managedFields ?? []).some(
    (entry) => isJsonObject(entry) && entry['manager'] === 'before-first-apply',
  );
}

function isPredecessor(entry: JsonObject, manager: string): boolean {
  const { manager: name, operation, subresource = '' } = entry;
  if (operation !== 'Update' || subresource !== '' || typeof name !== 'string') return false;
  return predecessors.has(name) || name === manager;
}

/** Entries of one API version become one; the paths of another version mean other fields. */
function withOneOwner(
  entries: readonly JsonObject[],
  handed: readonly JsonObject[],
  manager: string,
): JsonObject[] {
  const own = entries.find(
    (entry) => entry['manager'] === manager && entry['operation'] === 'Apply',
  );
  const base = own ?? { ...handed[0], manager, operation: 'Apply' };
  const joined = handed.filter((entry) => entry['apiVersion'] === base['apiVersion']);
  const fieldsV1 = [base, ...joined].reduce(
    (fields, entry) => merged(fields, entry['fieldsV1']),
    {},
  );
  const others = entries.filter((entry) => entry !== own && !joined.includes(entry));
  return [...others, { ...base, fieldsV1 }];
}

/** The union of two field sets in the form of `FieldsV1`, where a set is a tree of its paths. */
function merged(one: JsonObject, other: unknown): JsonObject {
  if (!isJsonObject(other)) return one;
  const union: JsonObject = { ...one };
  for (const [field, below] of Object.entries(other)) {
    const known = union[field];
    union[field] = isJsonObject(known) ? merged(known, below) : below;
  }
  return union;
}

/** A key as a part of a JSON pointer (RFC 6901). */
function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
