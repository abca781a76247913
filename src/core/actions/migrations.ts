import type { Action } from '../../types/stages.ts';
import type { Failure } from '../failure.ts';
import { type RunProgress, withStep } from '../run.ts';
import { isMigrationAction, migrationActions } from '../version/migration-actions.ts';
import { failedMigration } from '../version/migration-failure.ts';
import {
  emptyLedger,
  withBegin,
  withMigration,
  withStep as withStepDone,
} from '../version/migration-ledger.ts';
import { actionsOf, type RunStage } from './action.ts';

/** What of a run changes with its migrations; it is in the status before anything else is done. */
type Migrated = Pick<RunProgress, 'migrationLedger'>;

/** Whether a change of the version needs anything before a stage. */
export function hasMigrations({ migrations = [] }: RunStage): boolean {
  return migrations.length > 0;
}

/** The run as if the migrations before a stage were done: what comes behind them can be told then. */
export function withMigrationsSupposed(run: RunProgress, index: number): RunProgress {
  const stages = run.spec.stages.map((stage: RunStage, position): RunStage => {
    const { migrations } = stage;
    if (position !== index || migrations === undefined) return stage;
    return { ...stage, migrations: migrations.map((each) => ({ ...each, done: true })) };
  });
  return { ...run, spec: { ...run.spec, stages } };
}

/** On record before the first action of a migration is tried: it may have been done from then on. */
export function migrationBegun(run: RunProgress, action: Action): Migrated {
  if (!isMigrationAction(action)) return {};
  return { migrationLedger: withBegin(run.migrationLedger ?? emptyLedger, action.ofMigration) };
}

/** An action of a migration is done, and with its last one the migration. */
export function migrationStepDone(run: RunProgress, action: Action): Migrated {
  if (!isMigrationAction(action)) return {};
  const { ofMigration, step } = action;
  const ledger = withStepDone(run.migrationLedger ?? emptyLedger, ofMigration, step);
  const last = migrationActions(ofMigration).at(-1);
  return {
    migrationLedger: last?.step === step ? withMigration(ledger, ofMigration) : ledger,
  };
}

/** Behind the last migration before a stage all of them are done, those without any action too. */
export function withMigrationsDone(run: RunProgress, { migrations = [] }: RunStage): RunProgress {
  const missing = migrations.filter(({ done, steps }) => !done && steps.every((step) => step.done));
  if (missing.length === 0) return run;
  const migrationLedger = missing.reduce(withMigration, run.migrationLedger ?? emptyLedger);
  return { ...run, migrationLedger, unsaved: true };
}

/** A migration that fails is counted, and the fifth failure in a row halts the StageSet (part B 2.4). */
export function withMigrationFailed(
  run: RunProgress,
  index: number,
  name: string,
  failure: Failure,
): RunProgress {
  const action = actionsOf(run.spec.stages[index], 'migration').find((each) => each.name === name);
  if (action === undefined || !isMigrationAction(action)) {
    return withStep(run, index, { kind: 'Failed', failure });
  }
  const failed = failedMigration(failure, action.ofMigration, run.migrationFailures ?? 0);
  const counted = { ...run, migrationFailures: failed.failures };
  return withStep(counted, index, { kind: 'Failed', failure: failed.failure });
}
