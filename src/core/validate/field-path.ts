/** Path of a field of an object; at the root the name alone. */
export function fieldOf(path: string, name: string): string {
  return path === '' ? cut(name) : `${path}.${cut(name)}`;
}

/** Path of an item of a list. */
export function itemOf(path: string, index: number): string {
  return `${path}[${index}]`;
}

/** Path of an entry of a map. */
export function entryOf(path: string, key: string): string {
  return `${path}[${cut(key)}]`;
}

const longestName = 63;

/** The names of unknown fields and of map entries are the user's text, of any length. */
export function cut(name: string): string {
  return name.length > longestName ? `${name.slice(0, longestName)}…` : name;
}

/**
 * What a value looks like without saying what it is, such as `a string of 5 characters`. A value
 * may be a secret in the wrong place, and problems end in logs, events and conditions.
 */
export function shapeOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'string') return stringShape(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'number' ? 'a number' : 'a boolean';
}

function stringShape(value: string): string {
  if (value === '') return 'an empty string';
  return value.length === 1 ? 'a string of 1 character' : `a string of ${value.length} characters`;
}
