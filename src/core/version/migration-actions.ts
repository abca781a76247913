import type { Action } from '../../types/stages.ts';
import { stepKey } from './migration-key.ts';
import type { PlannedMigration } from './plan-migrations.ts';

/** An action of a migration, under a name that no other action of the run has. */
export interface MigrationAction extends Action {
  readonly ofMigration: PlannedMigration;
  /** Its name in the migration. */
  readonly step: string;
  /** Whether it is on record. */
  readonly done: boolean;
}

/** The actions of a migration as a run works them off, named as the ledger names them. */
export function migrationActions(migration: PlannedMigration): MigrationAction[] {
  const { key, steps, direction } = migration;
  return steps.map(({ action, done }) => ({
    ...action,
    name: stepKey(key, direction, action.name),
    ofMigration: migration,
    step: action.name,
    done: done || migration.done,
  }));
}

export function isMigrationAction(action: Action): action is MigrationAction {
  return 'ofMigration' in action;
}
