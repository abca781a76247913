import type { JsonObject, KubernetesObject } from '../../types/kubernetes.ts';
import { canonicalJson } from '../canonical-json.ts';
import { isJsonObject } from '../validate/json-object.ts';

/**
 * A place in the field sets of an object's managers, walked down from the root
 * (`metadata.managedFields`, KEP-555). A manager that is no longer in it has no field there.
 */
export interface ManagedPlace {
  readonly claims: readonly Claim[];
}

/** One manager's field set at a place; an empty one claims the place as a whole. */
interface Claim {
  readonly manager: string;
  /** RFC 3339; texts of one precision, so that they sort as times do. */
  readonly time: string;
  readonly fields: JsonObject;
}

/** The root of the fields that somebody other than `ours` has written; a status is nobody's here. */
export function managedBy(object: KubernetesObject, ours: string): ManagedPlace {
  return { claims: claimsOf(object).filter(({ manager }) => manager !== ours) };
}

/** The root of all managers' fields, which tells how lists are taken apart. */
export function managedByAll(objects: readonly KubernetesObject[]): ManagedPlace {
  return { claims: objects.flatMap(claimsOf) };
}

/** The place of a member of an object. */
export function memberOf(place: ManagedPlace, name: string): ManagedPlace {
  return descend(place, (fields) => fields[`f:${name}`]);
}

/** The place of the item of a list that has these values in the list's key fields. */
export function itemOf(place: ManagedPlace, key: JsonObject): ManagedPlace {
  const wanted = canonicalJson(key);
  return descend(place, (fields) => {
    const name = Object.keys(fields).find((one) => {
      const parsed = keyIn(one);
      return parsed !== undefined && canonicalJson(parsed) === wanted;
    });
    return name === undefined ? undefined : fields[name];
  });
}

/** The key fields of the items of a list; undefined for one that is only ever written as a whole. */
export function keyFieldsAt({ claims }: ManagedPlace): readonly string[] | undefined {
  for (const { fields } of claims) {
    for (const name of Object.keys(fields)) {
      const key = keyIn(name);
      if (key !== undefined) return Object.keys(key);
    }
  }
  return undefined;
}

/** The manager that wrote to the place last; undefined when none has. */
export function lastManager({ claims }: ManagedPlace): string | undefined {
  let last: Claim | undefined;
  for (const claim of claims) if (last === undefined || claim.time > last.time) last = claim;
  return last?.manager;
}

function claimsOf({ metadata }: KubernetesObject): Claim[] {
  return (metadata.managedFields ?? []).flatMap((entry): Claim[] => {
    if (!isJsonObject(entry) || !isJsonObject(entry['fieldsV1'])) return [];
    const { manager, time, subresource, fieldsV1 } = entry;
    if (typeof manager !== 'string' || subresource === 'status') return [];
    return [{ manager, time: typeof time === 'string' ? time : '', fields: fieldsV1 }];
  });
}

function descend({ claims }: ManagedPlace, into: (fields: JsonObject) => unknown): ManagedPlace {
  return {
    claims: claims.flatMap((claim): Claim[] => {
      // What is claimed as a whole is claimed with all that is in it.
      if (Object.keys(claim.fields).length === 0) return [claim];
      const fields = into(claim.fields);
      return isJsonObject(fields) ? [{ ...claim, fields }] : [];
    }),
  };
}

/** `k:{"name":"web"}` as `{ name: 'web' }`. */
function keyIn(name: string): JsonObject | undefined {
  if (!name.startsWith('k:')) return undefined;
  try {
    const key: unknown = JSON.parse(name.slice(2));
    return isJsonObject(key) ? key : undefined;
  } catch {
    return undefined;
  }
}
