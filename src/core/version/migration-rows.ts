import type { PlannedMigration as MigrationRow } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { PendingMigration } from '../../types/stages.ts';
import { typeOf } from '../actions/action.ts';
import type { MigrationPlan, PlannedMigration } from './plan-migrations.ts';

/** `status.pendingMigrations`, as each plan replaces it; on the way down the verbs are those of `down`. */
export function pendingMigrations(plan: MigrationPlan): PendingMigration[] {
  return migrationsOf(plan).map(({ migration, stage, steps, digest }) => ({
    name: migration.name,
    to: migration.to,
    ...(migration.from === undefined || migration.from === '' ? {} : { from: migration.from }),
    stage,
    actions: steps.map(({ action }) => typeOf(action) ?? 'unknown'),
    digest,
  }));
}

/** `status.migrations` of a StagePlan: those that something is left of, with the actions that are. */
export function migrationRows(plan: MigrationPlan): MigrationRow[] {
  return migrationsOf(plan)
    .filter(({ done }) => !done)
    .map(({ migration, direction, stage, steps }) => ({
      name: migration.name,
      to: migration.to,
      direction,
      stage,
      actions: steps.flatMap(({ action, done }) => (done ? [] : [action.name])),
      irreversible: (migration.down ?? []).length === 0,
    }));
}

function migrationsOf(plan: MigrationPlan): readonly PlannedMigration[] {
  return plan.kind === 'Planned' ? plan.migrations : [];
}
