import type { MigrationLedger } from '../../../../src/core/version/migration-ledger.ts';
import type { MigrationQuestion } from '../../../../src/core/version/migration-question.ts';
import type { MigrationPlan } from '../../../../src/core/version/plan-migrations.ts';
import type { Action, Migration } from '../../../../src/types/stages.ts';

export const stages = [
  { name: 'db', migrationAnchor: 'database' },
  { name: 'web', migrationAnchor: 'frontend' },
];

export const empty: MigrationLedger = { migrations: [], actions: [] };

/** Steps of these names that do nothing but wait. */
export function steps(...names: string[]): Action[] {
  return names.map((name) => ({ name, wait: { duration: '1s' } }));
}

/** A migration with one step up and one down. */
export function migration(name: string, to: string, fields: Partial<Migration> = {}): Migration {
  return { name, to, actions: steps(`${name}-up`), down: steps(`${name}-down`), ...fields };
}

/** A change from 1.0.0 to 2.0.0 over no migration, but for these fields. */
export function question(fields: Partial<MigrationQuestion>): MigrationQuestion {
  return { current: '1.0.0', desired: '2.0.0', ladder: [], stages, ledger: empty, ...fields };
}

/** Each migration of a plan on one line: direction, name, stage, and the steps that are left. */
export function lines(plan: MigrationPlan): string[] {
  if (plan.kind !== 'Planned') return [plan.kind === 'Refused' ? plan.reason : plan.kind];
  return plan.migrations.map((each) => {
    const left = each.steps.filter(({ done }) => !done).map(({ action }) => action.name);
    const rest = each.done ? 'done' : left.join(' ');
    return `${each.direction} ${each.migration.name} before ${each.stage}: ${rest}`;
  });
}
