import type { Migration, StageSetStatus } from '../../types/stages.ts';
import {
  type Direction,
  type LedgerEntry,
  migrationKey,
  readEntry,
  stepKey,
} from './migration-key.ts';

/** What is on record of the version change under way; empty between two of them. */
export interface MigrationLedger {
  /** `status.executedMigrations` */
  readonly migrations: readonly string[];
  /** `status.executedMigrationActions` */
  readonly actions: readonly string[];
}

export const emptyLedger: MigrationLedger = { migrations: [], actions: [] };

export function recordedLedger(status: StageSetStatus | undefined): MigrationLedger {
  const { executedMigrations = [], executedMigrationActions = [] } = status ?? {};
  return { migrations: executedMigrations, actions: executedMigrationActions };
}

export function isEmptyLedger({ migrations, actions }: MigrationLedger): boolean {
  return migrations.length === 0 && actions.length === 0;
}

/** All that is on record under the name of a migration, whatever it said then. */
export interface Evidence {
  /** Entries of actions of that direction. */
  readonly up: readonly LedgerEntry[];
  readonly down: readonly LedgerEntry[];
  /** Entries of it as a whole. */
  readonly whole: readonly LedgerEntry[];
}

export function evidenceOf(ledger: MigrationLedger): ReadonlyMap<string, Evidence> {
  const found = new Map<string, { up: LedgerEntry[]; down: LedgerEntry[]; whole: LedgerEntry[] }>();
  for (const text of [...ledger.migrations, ...ledger.actions]) {
    const entry = readEntry(text);
    if (entry === undefined) continue;
    const evidence = found.get(entry.name) ?? { up: [], down: [], whole: [] };
    found.set(entry.name, evidence);
    const { direction } = entry;
    evidence[direction === undefined ? 'whole' : direction === 'Up' ? 'up' : 'down'].push(entry);
  }
  return found;
}

/** A migration in the direction in which it is to be carried out. */
export interface DirectedMigration {
  readonly migration: Migration;
  readonly direction: Direction;
  /**
   * `Advance` belongs to the way from the deployed version to the desired one. `Revert` undoes what an
   * earlier, unfinished change of the version did, and leaves nothing on record.
   */
  readonly purpose: 'Advance' | 'Revert';
}

/**
 * The ledger as it must be on record before the first action of a migration is tried; the very same one
 * where it is already. An entry without the name of an action says that one may have been done: whoever
 * wants another version then has to undo it, also when nobody can tell any more how far it came.
 *
 * When the direction turns, all that is on record of the other one goes: from the first action on, none
 * of it stands any more.
 */
export function withBegin(ledger: MigrationLedger, directed: DirectedMigration): MigrationLedger {
  const { migration, direction, purpose } = directed;
  const { up = [], down = [], whole = [] } = evidenceOf(ledger).get(migration.name) ?? {};
  const [own, opposite] = direction === 'Up' ? [up, down] : [down, up];
  const turns = opposite.length > 0 || (purpose === 'Revert' && whole.length > 0);
  if (turns) return withEntry(without(ledger, migration.name), directed, '');
  const key = migrationKey(migration);
  return own.some((entry) => entry.key === key) ? ledger : withEntry(ledger, directed, '');
}

/** The ledger with one more action that is done. */
export function withStep(
  ledger: MigrationLedger,
  directed: DirectedMigration,
  action: string,
): MigrationLedger {
  return withEntry(withBegin(ledger, directed), directed, action);
}

/** The ledger with one more migration that is done; what is on record of it with other content goes. */
export function withMigration(
  ledger: MigrationLedger,
  { migration, direction, purpose }: DirectedMigration,
): MigrationLedger {
  const others = without(ledger, migration.name);
  if (purpose === 'Revert') return others;
  const key = migrationKey(migration);
  const isKept = (entry: LedgerEntry | undefined): boolean =>
    entry?.key === key && entry.direction === direction;
  return {
    migrations: [...others.migrations, key],
    actions: [...others.actions, ...ledger.actions.filter((text) => isKept(readEntry(text)))],
  };
}

function withEntry(
  ledger: MigrationLedger,
  { migration, direction }: DirectedMigration,
  action: string,
): MigrationLedger {
  const entry = stepKey(migrationKey(migration), direction, action);
  if (ledger.actions.includes(entry)) return ledger;
  return { ...ledger, actions: [...ledger.actions, entry] };
}

/** The ledger without anything of a name. */
function without({ migrations, actions }: MigrationLedger, name: string): MigrationLedger {
  const isOther = (text: string): boolean => readEntry(text)?.name !== name;
  return { migrations: migrations.filter(isOther), actions: actions.filter(isOther) };
}
