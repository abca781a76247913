import { isJsonObject } from '../kubernetes/shapes.ts';
import type { JsonObject } from '../types/kubernetes.ts';

/**
 * The RFC 7386 merge patch that turns `from` into `to`, or undefined when they are equal. A field
 * that `to` lacks is removed by null; arrays are replaced as a whole.
 */
export function mergePatch(from: JsonObject, to: JsonObject): JsonObject | undefined {
  const patch: JsonObject = {};
  for (const [field, value] of Object.entries(to)) {
    if (value === undefined) continue;
    const before = own(from, field);
    if (isJsonObject(value) && isJsonObject(before)) {
      const inner = mergePatch(before, value);
      if (inner !== undefined) patch[field] = inner;
    } else if (!equal(before, value)) {
      patch[field] = value;
    }
  }
  for (const field of Object.keys(from)) {
    if (own(to, field) === undefined && from[field] !== undefined) patch[field] = null;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/** A field may have a name that every object inherits, such as `constructor`. */
function own(object: JsonObject, field: string): unknown {
  return Object.hasOwn(object, field) ? object[field] : undefined;
}

function equal(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, index) => equal(item, other[index]));
  }
  if (isJsonObject(one) && isJsonObject(other)) return mergePatch(one, other) === undefined;
  return false;
}
