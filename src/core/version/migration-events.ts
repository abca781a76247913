import { actionsOf } from '../actions/action.ts';
import { actionAt } from '../actions/attempts.ts';
import type { RunProgress } from '../run.ts';
import { isMigrationAction, type MigrationAction, migrationActions } from './migration-actions.ts';

/** News of a change of the version (part B 2.4); that a migration failed, Ready tells. */
export interface MigrationEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason:
    | 'MigrationStarted'
    | 'MigrationCompleted'
    | 'MigrationsBaselined'
    | 'MigrationSourceMutable';
  readonly note: string;
}

/** What is new in a run since it was looked at last, each told once. */
export function migrationEvents(
  before: RunProgress | undefined,
  run: RunProgress,
): MigrationEvent[] {
  const was = before?.startedAt === run.startedAt ? before : undefined;
  return [
    ...planned(was, run),
    ...completed(was, run),
    ...started(was, run),
    ...baselined(was, run),
  ];
}

function planned(was: RunProgress | undefined, { version }: RunProgress): MigrationEvent[] {
  if (version?.mutable === undefined || was?.version !== undefined) return [];
  if (version.plan.kind !== 'Planned') return [];
  return [{ type: 'Warning', reason: 'MigrationSourceMutable', note: version.mutable }];
}

function started(was: RunProgress | undefined, run: RunProgress): MigrationEvent[] {
  const action = current(run);
  if (action === undefined) return [];
  const previous = was === undefined ? undefined : current(was);
  if (previous?.ofMigration.key === action.ofMigration.key) return [];
  const note = `Started ${described(action, run)}`;
  return [{ type: 'Normal', reason: 'MigrationStarted', note }];
}

function completed(was: RunProgress | undefined, run: RunProgress): MigrationEvent[] {
  return run.stages.flatMap(({ acts = [] }, index) =>
    acts.slice((was?.stages[index]?.acts ?? []).length).flatMap((act): MigrationEvent[] => {
      if (act.hook !== 'migration' || act.outcome !== 'Succeeded') return [];
      const action = actionsOf(run.spec.stages[index], 'migration').find(
        ({ name }) => name === act.name,
      );
      if (action === undefined || !isMigrationAction(action)) return [];
      const last = migrationActions(action.ofMigration).at(-1);
      if (last?.step !== action.step) return [];
      const note = `Completed ${described(action, run)}`;
      return [{ type: 'Normal', reason: 'MigrationCompleted', note }];
    }),
  );
}

function baselined(was: RunProgress | undefined, run: RunProgress): MigrationEvent[] {
  const { version, outcome } = run;
  if (version?.plan.kind !== 'Baseline' || outcome?.kind !== 'Succeeded') return [];
  if (was?.outcome?.kind === 'Succeeded') return [];
  const note = `Took version ${version.desired} for the one that is deployed: nothing was migrated`;
  return [{ type: 'Normal', reason: 'MigrationsBaselined', note }];
}

function current(run: RunProgress): MigrationAction | undefined {
  const index = run.stages.findIndex(({ step }) => step.kind === 'Acting');
  const action = actionAt(run, index)?.action;
  return action !== undefined && isMigrationAction(action) ? action : undefined;
}

function described({ ofMigration }: MigrationAction, { version }: RunProgress): string {
  const { migration, direction } = ofMigration;
  const from =
    version?.ladder === undefined
      ? ''
      : `, of revision ${version.ladder.revision} (${version.ladder.digest})`;
  const what = direction === 'Up' ? 'migration' : 'rolling back migration';
  return `${what} ${migration.name} (to ${migration.to}${from})`;
}
