/** The value at a path of fields of a JSON value, or undefined where the path ends early. */
export function fieldOf(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const field of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = new Map<string, unknown>(Object.entries(found)).get(field);
  }
  return found;
}
