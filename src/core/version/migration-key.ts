import type { Migration } from '../../types/stages.ts';
import { digestOf } from '../hash.ts';

/** Twelve hex digits that change with whatever a migration says (part B 2.4). */
export function migrationDigest(migration: Migration): string {
  return digestOf(migration).slice(0, 12);
}

/** How `status.executedMigrations` names a migration: `name@<12 hex>`. */
export function migrationKey(migration: Migration): string {
  return `${migration.name}@${migrationDigest(migration)}`;
}

export type Direction = 'Up' | 'Down';

/** How `status.executedMigrationActions` names an action: `key/<action>`, or `key/down/<action>`. */
export function stepKey(key: string, direction: Direction, action: string): string {
  return `${key}/${direction === 'Up' ? '' : downMark}${action}`;
}

/** No action of `actions` may begin with it: it would be taken for one of `down`. */
export const downMark = 'down/';

/** An entry of either ledger, taken apart. */
export interface LedgerEntry {
  readonly text: string;
  /** Name of the migration. */
  readonly name: string;
  /** `name@<12 hex>` */
  readonly key: string;
  /** Undefined for a migration as a whole. */
  readonly direction: Direction | undefined;
}

/** Undefined for a text that is no entry. A name may have an `@` and a `/` of its own. */
export function readEntry(text: string): LedgerEntry | undefined {
  const [, key, name, action] = /^((.*?)@[0-9a-f]{12})(?:\/(.*))?$/s.exec(text) ?? [];
  if (key === undefined || name === undefined) return undefined;
  if (action === undefined) return { text, name, key, direction: undefined };
  return { text, name, key, direction: action.startsWith(downMark) ? 'Down' : 'Up' };
}
