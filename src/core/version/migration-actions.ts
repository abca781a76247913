import type { Action } from '../../types/stages.ts';
import type { PlannedMigration } from './plan-migrations.ts';

/** An action of a migration, under a name that no other action of the run has. */
export interface MigrationAction extends Action {
  readonly ofMigration: PlannedMigration;
  /** Its name in the migration. */
  readonly step: string;
  /** Whether it is on record. */
  readonly done: boolean;
}

/** The actions of a migration as a run works them off. Names of actions have no dot, those of migrations may. */
export function migrationActions(migration: PlannedMigration): MigrationAction[] {
  const { steps, direction, migration: content } = migration;
  const prefix = direction === 'Up' ? content.name : `${content.name}.down`;
  return steps.map(({ action, done }) => ({
    ...action,
    name: `${prefix}.${action.name}`,
    ofMigration: migration,
    step: action.name,
    done: done || migration.done,
  }));
}

export function isMigrationAction(action: Action): action is MigrationAction {
  return 'ofMigration' in action;
}
