import type { InventoryEntry } from '../../types/stages.ts';

/**
 * What either lists, sorted by id, each object once: the version of `next` wins, since it is the one
 * that is applied. This is what is recorded before a stage is applied (part A 5.8, [gap]).
 */
export function union(
  previous: readonly InventoryEntry[],
  next: readonly InventoryEntry[],
): InventoryEntry[] {
  const entries = new Map<string, InventoryEntry>();
  for (const entry of previous) entries.set(entry.id, entry);
  for (const entry of next) entries.set(entry.id, entry);
  return sortedById([...entries.values()]);
}

/** What `entries` lists and none of `excluded` does, in the given order. */
export function difference(
  entries: readonly InventoryEntry[],
  ...excluded: readonly (readonly InventoryEntry[])[]
): InventoryEntry[] {
  const ids = new Set(excluded.flatMap((list) => list.map(({ id }) => id)));
  return entries.filter(({ id }) => !ids.has(id));
}

/** Sorted by the UTF-16 code units of the id, the same for every observer. */
export function sortedById(entries: readonly InventoryEntry[]): InventoryEntry[] {
  return [...entries].sort(({ id: one }, { id: other }) =>
    one < other ? -1 : one > other ? 1 : 0,
  );
}
