import type { ObjectReference } from '../../types/kubernetes.ts';
import { type InventoryEntry, stagesApiVersion } from '../../types/stages.ts';
import { sha256 } from '../hash.ts';
import { groupOf } from '../objects/identity.ts';
import { parseEntry } from './entry.ts';

/** Labels and annotations of an ApplySet (KEP-3659). */
export const applySetIdLabel = 'applyset.kubernetes.io/id';
export const applySetPartOfLabel = 'applyset.kubernetes.io/part-of';
const applySetToolingAnnotation = 'applyset.kubernetes.io/tooling';
const applySetKindsAnnotation = 'applyset.kubernetes.io/contains-group-kinds';
const applySetNamespacesAnnotation = 'applyset.kubernetes.io/additional-namespaces';

/** Every annotation that we may set on a parent, and take away again. */
export const applySetAnnotations = [
  applySetToolingAnnotation,
  applySetKindsAnnotation,
  applySetNamespacesAnnotation,
] as const;

/** Whose ApplySet it is: every other tool, kubectl too, must then leave it alone. */
const tooling = 'stageset-controller/v1';

/** An object holds 256 KiB of annotations; what lists too much is left out, which the KEP allows. */
const longestList = 100_000;

/**
 * The id of the ApplySet whose parent is this StageInventory, as KEP-3659 computes it:
 * `applyset-<base64url(sha256(<name>.<namespace>.<kind>.<group>))>-v1`. A valid label value.
 */
export function applySetId({
  name,
  namespace,
}: {
  readonly name: string;
  readonly namespace: string;
}): string {
  const parent = [name, namespace, 'StageInventory', groupOf(stagesApiVersion)].join('.');
  return `applyset-${sha256(parent, 'base64url')}-v1`;
}

/**
 * The annotations of an ApplySet parent that has these members. The kinds are `Kind.group`, sorted,
 * and an empty text for a set without members. The namespaces are those besides the parent's own.
 */
export function applySetAnnotationsOf(
  entries: readonly InventoryEntry[],
  home: string | undefined,
): Record<string, string> {
  const members = entries.flatMap((entry) => parseEntry(entry) ?? []);
  const kinds = listOf(members.map(groupKindOf));
  const namespaces = listOf(
    members.flatMap(({ namespace }) =>
      namespace === undefined || namespace === home ? [] : [namespace],
    ),
  );
  return {
    [applySetToolingAnnotation]: tooling,
    ...(kinds === undefined ? {} : { [applySetKindsAnnotation]: kinds }),
    ...(namespaces === undefined || namespaces === ''
      ? {}
      : { [applySetNamespacesAnnotation]: namespaces }),
  };
}

/** A kind without a version. */
export interface GroupKind {
  readonly group: string;
  readonly kind: string;
}

/** The kinds and the further namespaces that a parent's annotations name. */
export function readApplySet(annotations: Readonly<Record<string, string>> | undefined): {
  readonly kinds: readonly GroupKind[];
  readonly namespaces: readonly string[];
} {
  const kinds = split(annotations?.[applySetKindsAnnotation]).map((text): GroupKind => {
    const dot = text.indexOf('.');
    return dot === -1
      ? { group: '', kind: text }
      : { group: text.slice(dot + 1), kind: text.slice(0, dot) };
  });
  return { kinds, namespaces: split(annotations?.[applySetNamespacesAnnotation]) };
}

function groupKindOf({ apiVersion, kind }: ObjectReference): string {
  const group = groupOf(apiVersion);
  return group === '' ? kind : `${kind}.${group}`;
}

/** Comma-separated, sorted, each once; undefined when it would be too long for an annotation. */
function listOf(names: readonly string[]): string | undefined {
  // Entries are recorded before the API server has judged the objects: a name may be anything.
  const harmless = names.filter((name) => /^[-.A-Za-z0-9]+$/.test(name));
  const list = [...new Set(harmless)].sort().join(',');
  return list.length > longestList ? undefined : list;
}

function split(list: string | undefined): string[] {
  return (list ?? '').split(',').filter((item) => item !== '');
}
