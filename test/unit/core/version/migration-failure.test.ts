import { expect } from 'chai';
import type { Failure } from '../../../../src/core/failure.ts';
import {
  failedMigration,
  isMigrationDirty,
} from '../../../../src/core/version/migration-failure.ts';
import { migrationDigest, migrationKey } from '../../../../src/core/version/migration-key.ts';
import { migrationRows, pendingMigrations } from '../../../../src/core/version/migration-rows.ts';
import { planMigrations } from '../../../../src/core/version/plan-migrations.ts';
import type { StageSet, StageSetStatus } from '../../../../src/types/stages.ts';
import { migration, question, steps } from './ladders.ts';

const failure: Failure = {
  reason: 'StageFailed',
  operation: 'pre-action',
  message: 'action copy: exit code 1',
  retry: 'Backoff',
};
const moved = migration('move', '2.0.0');

describe('a migration that has failed', () => {
  it('is tried again later, and counted', () => {
    const { failure: told, failures } = failedMigration(
      failure,
      { migration: moved, direction: 'Up' },
      0,
    );
    expect(failures).to.equal(1);
    expect(told).to.deep.equal({
      reason: 'MigrationFailed',
      operation: 'migration',
      message: 'migration move (to 2.0.0): action copy: exit code 1',
      retry: 'Backoff',
    });
  });

  it('halts the fifth time in a row, on the way down as well', () => {
    const { failure: told, failures } = failedMigration(
      failure,
      { migration: moved, direction: 'Down' },
      4,
    );
    expect(failures).to.equal(5);
    expect(told).to.deep.include({ reason: 'MigrationDirty', retry: 'None' });
    expect(told.message).to.equal(
      'undoing migration move (to 2.0.0): action copy: exit code 1 (failure 5 in a row; halted: repair ' +
        'what is broken, then annotate reconcile.fluxcd.io/requestedAt, or change the spec or the migration)',
    );
  });

  it('for want of a permission says so, and is not counted', () => {
    const denied: Failure = { ...failure, reason: 'RBACDenied', retry: 'Minute' };
    expect(failedMigration(denied, { migration: moved, direction: 'Up' }, 4)).to.deep.equal({
      failure: denied,
      failures: 4,
    });
  });
});

describe('migrations that have failed too often', () => {
  const plan = planMigrations(question({ ladder: [moved] }));
  const status: StageSetStatus = {
    migrationFailureCount: 5,
    haltedRun: 'abc',
    lastHandledReconcileAt: 'before',
    pendingMigrations: pendingMigrations(plan),
  };
  const dirty = (fields: StageSetStatus, asked?: string, runId = 'abc', now = plan): boolean => {
    const annotations: Record<string, string> =
      asked === undefined ? {} : { 'reconcile.fluxcd.io/requestedAt': asked };
    const stageSet: StageSet = {
      apiVersion: 'stages.metio.wtf/v1',
      kind: 'StageSet',
      metadata: { name: 'shop', annotations },
      status: { ...status, ...fields },
    };
    return isMigrationDirty(stageSet, runId, now);
  };

  it('are not tried again, whatever wakes the StageSet (gap: part B 2.4)', () => {
    expect(dirty({})).to.equal(true);
    expect(dirty({}, 'before')).to.equal(true);
  });

  it('are tried again for a fresh token, another run, or another content (gap: part B 2.4)', () => {
    expect(dirty({}, 'now')).to.equal(false);
    expect(dirty({}, undefined, 'def')).to.equal(false);
    const edited = { ...moved, actions: steps('another') };
    const other = planMigrations(question({ ladder: [edited] }));
    expect(dirty({}, undefined, 'abc', other)).to.equal(false);
    expect(dirty({ migrationFailureCount: 4 })).to.equal(false);
  });
});

describe('a plan of migrations', () => {
  const oneWay = migration('drop', '1.5.0', { from: '>=1.0.0', stage: 'frontend', down: [] });

  it('is told in the status with the verbs of its actions', () => {
    const plan = planMigrations(question({ ladder: [oneWay] }));
    expect(pendingMigrations(plan)).to.deep.equal([
      {
        name: 'drop',
        to: '1.5.0',
        from: '>=1.0.0',
        stage: 'web',
        actions: ['wait'],
        digest: migrationDigest(oneWay),
      },
    ]);
    expect(pendingMigrations({ kind: 'None' })).to.deep.equal([]);
  });

  it('is told to whoever asks for the plan with what is left of it', () => {
    const ledger = { migrations: [migrationKey(moved)], actions: [] };
    const plan = planMigrations(question({ ladder: [oneWay, moved], ledger }));
    expect(migrationRows(plan)).to.deep.equal([
      {
        name: 'drop',
        to: '1.5.0',
        direction: 'Up',
        stage: 'web',
        actions: ['drop-up'],
        irreversible: true,
      },
    ]);
  });
});

describe('the key of a migration', () => {
  it('has twelve digits that change with the content and not with the order of fields', () => {
    expect(migrationKey(moved)).to.match(/^move@[0-9a-f]{12}$/);
    const { name, to, ...rest } = moved;
    expect(migrationKey({ ...rest, to, name })).to.equal(migrationKey(moved));
    expect(migrationKey({ ...moved, to: '2.0.1' })).not.to.equal(migrationKey(moved));
  });
});
