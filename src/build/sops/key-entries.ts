/** Private keys as a Secret holds them: content by name of the entry. */
export type KeyEntries = ReadonlyMap<string, Uint8Array>;

/** Whether an entry of a Secret is read as keys (part A 10.1); others are not looked at. */
export function isKeyEntry(name: string): boolean {
  return name.endsWith('.agekey') || name.endsWith('.asc');
}
