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
  /** The largest item of a list, or key or value of a map, under each field name. */
  readonly itemsOf: ReadonlyMap<string, Extent>;
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
  const itemsOf = new Map<string, Extent>();
  let largest = nothing;
  let values = 0;
  const measure = (value: unknown, field: string, depth: number): Extent | undefined => {
    values += 1;
    if (values > mostValues || depth > deepest) return undefined;
    const extent = typeof value === 'string' ? textual(value) : measureParts(value, field, depth);
    if (extent !== undefined) largest = larger(largest, extent);
    return extent;
  };
  const measureParts = (value: unknown, field: string, depth: number): Extent | undefined => {
    let volume = 1;
    const parts = partsOf(value);
    for (const [key, part] of parts) {
      const extent = measure(part, key ?? unnamed, depth + 1);
      if (extent === undefined) return undefined;
      volume += extent.volume + (key?.length ?? 0);
      raise(itemsOf, field, key === undefined ? extent : larger(extent, textual(key)));
      if (key !== undefined) raise(byField, key, extent);
    }
    return { items: parts.length, text: 0, volume };
  };
  if (measure(object, unnamed, 0) === undefined) return undefined;
  return { largest, byField, itemsOf };
}

/** What has no name of its own: the object, and items of lists. */
const unnamed = '';

function raise(extents: Map<string, Extent>, name: string, extent: Extent): void {
  extents.set(name, larger(extents.get(name) ?? nothing, extent));
}

function partsOf(value: unknown): readonly (readonly [key: string | undefined, part: unknown])[] {
  if (Array.isArray(value)) return value.map((part: unknown) => [undefined, part] as const);
  return isJsonObject(value) ? Object.entries(value) : [];
}

function textual(text: string): Extent {
  return { items: 0, text: text.length, volume: 1 + text.length };
}
