import type { PendingMigration, StageSet } from '../../types/stages.ts';
import { requestedAtAnnotation } from '../annotations.ts';
import type { Failure } from '../failure.ts';
import { pendingMigrations } from './migration-rows.ts';
import type { MigrationPlan, PlannedMigration } from './plan-migrations.ts';

/** So many failures in a row halt the migrations of a StageSet (part B 2.4). */
export const mostMigrationFailures = 5;

/**
 * What a failed migration means: the change is tried again later, but for the fifth failure in a row,
 * which halts it until a person has repaired what is broken. A denial by the API server stays one: no
 * repetition makes it worse, and it is counted by nobody.
 */
export function failedMigration(
  failure: Failure,
  { migration, direction }: Pick<PlannedMigration, 'migration' | 'direction'>,
  failuresBefore: number,
): { readonly failure: Failure; readonly failures: number } {
  if (failure.reason === 'RBACDenied') return { failure, failures: failuresBefore };
  const failures = failuresBefore + 1;
  const what = direction === 'Up' ? 'migration' : 'undoing migration';
  const told = `${what} ${migration.name} (to ${migration.to}): ${failure.message}`;
  const operation = 'migration';
  if (failures < mostMigrationFailures) {
    const failed = { ...failure, operation, reason: 'MigrationFailed', message: told } as const;
    return { failure: failed, failures };
  }
  const message =
    `${told} (failure ${failures} in a row; halted: repair what is broken, then annotate ` +
    `${requestedAtAnnotation}, or change the spec or the migration)`;
  return {
    failure: { ...failure, operation, reason: 'MigrationDirty', message, retry: 'None' },
    failures,
  };
}

/**
 * Whether nothing of the migrations may be tried: they have failed too often, in this very run and with
 * this content, and nobody has asked for another try (part B 2.4).
 *
 * @param plan what is planned now, before `status.pendingMigrations` is replaced by it
 */
export function isMigrationDirty(
  { metadata, status = {} }: StageSet,
  runId: string,
  plan: MigrationPlan,
): boolean {
  if ((status.migrationFailureCount ?? 0) < mostMigrationFailures) return false;
  if (status.haltedRun !== runId) return false;
  const asked = metadata.annotations?.[requestedAtAnnotation];
  if (asked !== undefined && asked !== status.lastHandledReconcileAt) return false;
  return contentOf(pendingMigrations(plan)) === contentOf(status.pendingMigrations ?? []);
}

function contentOf(migrations: readonly PendingMigration[]): string {
  return migrations.map(({ name, digest = '' }) => `${name}@${digest}`).join('\n');
}
