import { expect } from 'chai';
import { migrationKey } from '../../../../src/core/version/migration-key.ts';
import {
  type DirectedMigration,
  type MigrationLedger,
  recordedLedger,
  withBegin,
  withMigration,
  withStep,
} from '../../../../src/core/version/migration-ledger.ts';
import { empty, migration } from './ladders.ts';

const one = migration('one', '2.0.0');
const key = migrationKey(one);
const up: DirectedMigration = { migration: one, direction: 'Up', purpose: 'Advance' };
const down: DirectedMigration = { migration: one, direction: 'Down', purpose: 'Advance' };
const back: DirectedMigration = { migration: one, direction: 'Down', purpose: 'Revert' };

describe('the record of a migration', () => {
  it('says that it has begun before anything of it is done, once', () => {
    const begun = withBegin(empty, up);
    expect(begun).to.deep.equal({ migrations: [], actions: [`${key}/`] });
    expect(withBegin(begun, up)).to.equal(begun);
  });

  it('has its actions, and it as a whole', () => {
    const stepped = withStep(withBegin(empty, up), up, 'one-up');
    expect(stepped.actions).to.deep.equal([`${key}/`, `${key}/one-up`]);
    expect(withStep(stepped, up, 'one-up')).to.equal(stepped);
    expect(withMigration(stepped, up)).to.deep.equal({
      migrations: [key],
      actions: [`${key}/`, `${key}/one-up`],
    });
    expect(withStep(empty, down, 'one-down').actions).to.deep.equal([
      `${key}/down/`,
      `${key}/down/one-down`,
    ]);
  });

  it('loses what another content has left there (edge case 9, part B 13)', () => {
    const stale = migrationKey({ ...one, to: '1.9.0' });
    const other = migrationKey(migration('other', '1.5.0'));
    const ledger: MigrationLedger = {
      migrations: [stale, other],
      actions: [`${stale}/one-up`, `${other}/other-up`],
    };
    const stepped = withStep(ledger, up, 'one-up');
    expect(stepped.migrations).to.deep.equal([stale, other]);
    expect(withMigration(stepped, up)).to.deep.equal({
      migrations: [other, key],
      actions: [`${other}/other-up`, `${key}/`, `${key}/one-up`],
    });
  });

  it('says nothing of the way up any more once the way down has begun', () => {
    const done = withMigration(withStep(empty, up, 'one-up'), up);
    const turned = withBegin(done, back);
    expect(turned).to.deep.equal({ migrations: [], actions: [`${key}/down/`] });
    expect(withMigration(withStep(turned, back, 'one-down'), back)).to.deep.equal(empty);
  });

  it('is read from the status', () => {
    expect(recordedLedger(undefined)).to.deep.equal(empty);
    expect(
      recordedLedger({ executedMigrations: [key], executedMigrationActions: [`${key}/one-up`] }),
    ).to.deep.equal({ migrations: [key], actions: [`${key}/one-up`] });
  });
});
