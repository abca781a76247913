import type { CelBindings } from './library.ts';

type CelValue = CelBindings[string];

const maxInt64 = 2 ** 63;

/**
 * A JSON value as CEL sees it: whole numbers are ints, other numbers doubles, objects maps. JSON does
 * not keep whether a whole number was written with a point, so `1.0` is an int as well.
 */
export function celValue(json: unknown): CelValue {
  if (typeof json === 'number') {
    return Number.isInteger(json) && Math.abs(json) < maxInt64 ? BigInt(json) : json;
  }
  if (typeof json === 'string' || typeof json === 'boolean') return json;
  return typeof json === 'object' && json !== null ? composite(json) : null;
}

function composite(json: object): CelValue {
  if (Array.isArray(json)) return json.map((item: unknown) => celValue(item));
  // A Map, so that no field of the object can be taken for one of JavaScript's own.
  return new Map(Object.entries(json).map(([key, value]) => [key, celValue(value)] as const));
}
