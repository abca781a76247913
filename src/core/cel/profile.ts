import { isJsonObject } from '../validate/json-object.ts';

/** How large a value is at most. */
export interface Extent {
  /** Entries of a list or a map. */
  readonly items: number;
  /** Characters of a text. */
  readonly text: number;
  /** Everything in it: one for each value, and the characters of texts and keys. */
  readonly volume: number;
}

/** How large the parts of an object are, which bounds what an expression over it costs. */
export interface ObjectProfile {
  /** The largest of everything in the object. */
  readonly largest: Extent;
  /** The largest value under each field name, wherever the field is. */
  readonly byField: ReadonlyMap<string, Extent>;
  readonly values: number;
}

export const nothing: Extent = { items: 0, text: 0, volume: 1 };

export function larger(one: Extent, other: Extent): Extent {
  return {
    items: Math.max(one.items, other.items),
    text: Math.max(one.text, other.text),
    volume: Math.max(one.volume, other.volume),
  };
}

const deepest = 64;

/** Undefined when the object has more values than that, or is nested deeper than 64 levels. */
export function profileOf(object: unknown, mostValues: number): ObjectProfile | undefined {
  const byField = new Map<string, Extent>();
  let largest = nothing;
  let values = 0;
  const measure = (value: unknown, depth: number): Extent | undefined => {
    values += 1;
    if (values > mostValues || depth > deepest) return undefined;
    const extent = typeof value === 'string' ? textual(value) : measureParts(value, depth);
    if (extent !== undefined) largest = larger(largest, extent);
    return extent;
  };
  const measureParts = (value: unknown, depth: number): Extent | undefined => {
    let volume = 1;
    const parts = partsOf(value);
    for (const [key, part] of parts) {
      const extent = measure(part, depth + 1);
      if (extent === undefined) return undefined;
      volume += extent.volume + (key?.length ?? 0);
      if (key !== undefined) byField.set(key, larger(byField.get(key) ?? nothing, extent));
    }
    return { items: parts.length, text: 0, volume };
  };
  return measure(object, 0) === undefined ? undefined : { largest, byField, values };
}

function partsOf(value: unknown): readonly (readonly [key: string | undefined, part: unknown])[] {
  if (Array.isArray(value)) return value.map((part: unknown) => [undefined, part] as const);
  return isJsonObject(value) ? Object.entries(value) : [];
}

function textual(text: string): Extent {
  return { items: 0, text: text.length, volume: 1 + text.length };
}
