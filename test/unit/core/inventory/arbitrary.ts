import fc from 'fast-check';
import type { InventoryEntry } from '../../../../src/types/stages.ts';

/** A small world of objects, so that sets of them overlap. */
const entry: fc.Arbitrary<InventoryEntry> = fc.record({
  id: fc
    .tuple(
      fc.constantFrom('', 'one', 'two'),
      fc.constantFrom('a', 'b', 'a_b', 'system:c'),
      fc.constantFrom('', 'apps', 'rbac.authorization.k8s.io'),
      fc.constantFrom('Namespace', 'ConfigMap', 'Role'),
    )
    .map((parts) => parts.join('_')),
  v: fc.constantFrom('v1', 'v1beta1'),
});

/** A set of entries: each object once. */
export const entries = fc.uniqueArray(entry, { selector: ({ id }) => id, maxLength: 12 });

export function ids(list: readonly InventoryEntry[]): string[] {
  return list.map(({ id }) => id);
}
