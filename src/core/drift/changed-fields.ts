import { isDeepStrictEqual } from 'node:util';
import type { JsonObject, KubernetesObject } from '../../types/kubernetes.ts';
import { canonicalJson } from '../canonical-json.ts';
import { isJsonObject } from '../validate/json-object.ts';
import {
  itemOf,
  keyFieldsAt,
  lastManager,
  type ManagedPlace,
  managedBy,
  managedByAll,
  memberOf,
} from './managed-fields.ts';

/** A field that had to be set back, and who had written it last. */
export interface ChangedField {
  /** Such as `spec.template.spec.containers[name=web].image`; never a value, but for list keys. */
  readonly path: string;
  /** Undefined where a field was taken away, which the API server does not keep a record of. */
  readonly manager: string | undefined;
}

/** A field that differs, with its values: absent on the side where there is none. */
export interface FieldDifference extends ChangedField {
  readonly from?: unknown;
  readonly to?: unknown;
}

/** Members of `metadata` that a release can set; all others move with every write. */
const writtenMetadata = ['labels', 'annotations', 'finalizers', 'ownerReferences'];

/**
 * The fields in which an object differs from what it was before its correction, in the order of its
 * own members. Items of a list are told apart by the keys that its managers use (KEP-555); other
 * lists are one field.
 *
 * @param ours our field manager, which is never named
 * @param most so many fields at most
 */
export function changedFields(
  before: KubernetesObject,
  after: KubernetesObject,
  ours: string,
  most: number,
): ChangedField[] {
  return differingFields(before, after, ours, most).map(({ path, manager }) => ({ path, manager }));
}

/** As `changedFields`, with the values; they may be secret. */
export function differingFields(
  before: KubernetesObject,
  after: KubernetesObject,
  ours: string,
  most: number,
): FieldDifference[] {
  const found: FieldDifference[] = [];
  const others = managedBy(before, ours);
  const all = managedByAll([before, after]);
  const root: Place = { path: '', others, all };
  for (const name of namesOf(before, after)) {
    if (name === 'apiVersion' || name === 'kind' || name === 'status') continue;
    if (name === 'metadata') {
      const metadata = within(root, name);
      for (const member of writtenMetadata) {
        compare(before.metadata[member], after.metadata[member], within(metadata, member), found);
      }
    } else {
      compare(before[name], after[name], within(root, name), found);
    }
    if (found.length >= most) break;
  }
  return found.slice(0, most);
}

interface Place {
  readonly path: string;
  readonly others: ManagedPlace;
  readonly all: ManagedPlace;
}

function compare(before: unknown, after: unknown, place: Place, found: FieldDifference[]): void {
  if (isDeepStrictEqual(before, after)) return;
  if (isJsonObject(before) && isJsonObject(after)) {
    for (const name of namesOf(before, after)) {
      compare(before[name], after[name], within(place, name), found);
    }
    return;
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const keys = keyFieldsAt(place.all);
    if (keys !== undefined && compareItems(before, after, keys, place, found)) return;
  }
  const manager = before === undefined ? undefined : lastManager(place.others);
  found.push({
    path: place.path,
    manager,
    ...(before === undefined ? {} : { from: before }),
    ...(after === undefined ? {} : { to: after }),
  });
}

/** Returns false for a list whose items do not have its keys. */
function compareItems(
  before: readonly unknown[],
  after: readonly unknown[],
  keys: readonly string[],
  place: Place,
  found: FieldDifference[],
): boolean {
  const olds = byKey(before, keys);
  const news = byKey(after, keys);
  if (olds === undefined || news === undefined) return false;
  for (const [text, { key }] of new Map([...olds, ...news])) {
    const words = Object.entries(key).map(([name, value]) => `${name}=${String(value)}`);
    const item: Place = {
      path: `${place.path}[${words.join(',')}]`,
      others: itemOf(place.others, key),
      all: itemOf(place.all, key),
    };
    compare(olds.get(text)?.item, news.get(text)?.item, item, found);
  }
  return true;
}

type Keyed = Map<string, { key: JsonObject; item: unknown }>;

function byKey(items: readonly unknown[], keys: readonly string[]): Keyed | undefined {
  const keyed: Keyed = new Map();
  for (const item of items) {
    if (!isJsonObject(item)) return undefined;
    const key = Object.fromEntries(
      keys.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])),
    );
    if (Object.keys(key).length === 0) return undefined;
    keyed.set(canonicalJson(key), { key, item });
  }
  return keyed;
}

function within(place: Place, name: string): Place {
  return {
    path: /^[\w-]+$/.test(name) ? joined(place.path, name) : `${place.path}[${name}]`,
    others: memberOf(place.others, name),
    all: memberOf(place.all, name),
  };
}

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function namesOf(one: object, other: object): Set<string> {
  return new Set([...Object.keys(one), ...Object.keys(other)]);
}
