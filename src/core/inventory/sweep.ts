import type { StageSet } from '../../types/stages.ts';
import { lostStages, type ShardedRecord } from './lost.ts';
import { searchFor } from './search.ts';

/**
 * The namespaces to search when a StageSet whose inventories are lost is torn down, or undefined when
 * nothing of them is lost. Shards go before the StageSet does when a garbage collector takes them, in
 * a foreground deletion or with their namespace. The spec names the stages, and the status those that
 * have applied something.
 */
export function sweptNamespaces(
  { metadata, spec, status }: StageSet,
  records: ReadonlyMap<string, ShardedRecord>,
): readonly string[] | undefined {
  const statuses = status?.stages ?? [];
  const stages = new Map(
    [...(spec?.stages ?? []), ...statuses].map(({ name }) => [name, { name }]),
  );
  if (lostStages([...stages.values()], statuses, records).length === 0) return undefined;
  return searchFor([], [...records.values()], metadata.namespace ?? '').namespaces;
}
