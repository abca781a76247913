/**
 * JSON with the keys of every object sorted by UTF-16 code units and no white space, in the manner of
 * RFC 8785. Members that are undefined are left out and undefined items are null, as
 * `JSON.stringify` has it.
 *
 * @throws TypeError for what JSON cannot hold: a bare undefined, functions, symbols, bigints.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) {
    return `[${value.map((item: unknown) => canonicalJson(item ?? null)).join(',')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const object = value as Record<string, unknown>;
    let members = '';
    // Sorting strings without a comparison of our own is by UTF-16 code units, and quick.
    for (const key of Object.keys(object).sort()) {
      const member = object[key];
      if (member === undefined) continue;
      members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(member)}`;
    }
    return `{${members}}`;
  }
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError(`JSON cannot hold a value of type ${typeof value}`);
  return text;
}
