import { expect } from 'chai';
import { migrationKey } from '../../../../src/core/version/migration-key.ts';
import type { MigrationQuestion } from '../../../../src/core/version/migration-question.ts';
import {
  migrationsBefore,
  needsLadder,
  planMigrations,
} from '../../../../src/core/version/plan-migrations.ts';
import { empty, lines, migration, question, steps } from './ladders.ts';

function plan(fields: Partial<MigrationQuestion>): string[] {
  return lines(planMigrations(question(fields)));
}

function refusal(fields: Partial<MigrationQuestion>): string {
  const decided = planMigrations(question(fields));
  return decided.kind === 'Refused' ? `${decided.reason}: ${decided.message}` : decided.kind;
}

describe('a change of the version', () => {
  it('is a baseline where none is on record, whatever the ladder has', () => {
    const ladder = [migration('a', '1.5.0')];
    expect(planMigrations(question({ current: undefined, ladder }))).to.deep.equal({
      kind: 'Baseline',
    });
    expect(planMigrations(question({ current: '', ladder })).kind).to.equal('Baseline');
  });

  it('is none where the version stays, and then the ladder is not looked at', () => {
    const same = { current: '2.0.0', desired: '2.0.0', ledger: empty };
    expect(needsLadder(same)).to.equal(false);
    expect(needsLadder({ ...same, desired: '2.0.1' })).to.equal(true);
    expect(needsLadder({ ...same, current: undefined })).to.equal(false);
    const bad = [migration('a', 'no version')];
    expect(planMigrations(question({ ...same, ladder: bad })).kind).to.equal('None');
  });

  it('compares versions and not texts (gap: part B 2.1)', () => {
    expect(plan({ current: '2.0', desired: 'v2.0.0+build.7' })).to.deep.equal(['None']);
  });

  it('takes what leads above the current version and not above the desired one, in order', () => {
    const ladder = [
      migration('late', '2.0.0'),
      migration('gone', '1.0.0'),
      migration('early', '1.2.0'),
      migration('beyond', '2.0.1'),
      migration('twin', '1.2.0'),
    ];
    expect(plan({ ladder })).to.deep.equal([
      'Up early before db: early-up',
      'Up twin before db: twin-up',
      'Up late before db: late-up',
    ]);
  });

  it('asks each migration whether it is meant for the current version, not the rung before', () => {
    const ladder = [
      migration('first', '1.5.0'),
      migration('second', '2.0.0', { from: '>=1.5.0' }),
      migration('third', '2.0.0', { from: '<1.5.0' }),
    ];
    expect(plan({ ladder })).to.deep.equal([
      'Up first before db: first-up',
      'Up third before db: third-up',
    ]);
  });

  it('without any migration is a change all the same', () => {
    expect(planMigrations(question({}))).to.deep.equal({
      kind: 'Planned',
      direction: 'Up',
      migrations: [],
      outOfOrder: [],
    });
  });

  it('finds the stage of a migration by its anchor first, then by its name', () => {
    const anchored = [
      { name: 'db', migrationAnchor: 'web' },
      { name: 'web', migrationAnchor: 'frontend' },
    ];
    const of = (stage: string): string[] =>
      plan({ stages: anchored, ladder: [migration('a', '2.0.0', { stage })] });
    expect(of('frontend')).to.deep.equal(['Up a before web: a-up']);
    expect(of('web')).to.deep.equal(['Up a before db: a-up']);
    expect(of('db')).to.deep.equal(['Up a before db: a-up']);
    expect(of('')).to.deep.equal(['Up a before db: a-up']);
  });

  it('is refused for a stage that does not exist, of migrations that are needed only', () => {
    const lost = migration('a', '2.0.0', { stage: 'cache' });
    expect(refusal({ ladder: [lost] })).to.equal(
      'MigrationStageNotFound: migration a runs before stage cache, and no stage has that name or ' +
        'migrationAnchor; correct one of them',
    );
    expect(plan({ ladder: [lost], desired: '1.9.0' })).to.deep.equal([]);
  });

  it('is refused for versions that are none', () => {
    expect(refusal({ desired: 'latest' })).to.equal(
      'InvalidVersion: the version to deliver is "latest", which is no semantic version such as 2.0.0',
    );
    expect(refusal({ current: 'unknown' })).to.match(
      /^InvalidVersion: status.version is "unknown".*set status.version/,
    );
    expect(refusal({ ladder: [migration('a', '2.x')] })).to.match(
      /^InvalidVersion: migration a: to /,
    );
    expect(refusal({ ladder: [migration('a', '2.0.0', { from: 'new' })] })).to.match(
      /^InvalidVersion: migration a: from is no constraint/,
    );
  });

  it('refuses a bare version that a migration is meant for (edge case 7, part B 13)', () => {
    for (const from of ['1.0.0', 'v1.0.0', 'V1.0.0', ' 1.0.0 ', '1.0.0-rc.1']) {
      expect(refusal({ ladder: [migration('a', '2.0.0', { from })] }), from).to.match(
        /^InvalidVersion: migration a: from is the bare version .*; write >=/,
      );
    }
    for (const from of ['1.0', '1', '=1.0.0', '>=1.0.0']) {
      expect(plan({ ladder: [migration('a', '2.0.0', { from })] }), from).to.deep.equal([
        'Up a before db: a-up',
      ]);
    }
  });

  it('is refused for two migrations of one name (edge case 8, part B 13)', () => {
    const ladder = [migration('a', '1.5.0'), migration('a', '2.0.0')];
    expect(refusal({ ladder })).to.equal(
      'InvalidSpec: two migrations are called a; give each its own name',
    );
  });

  it('to another major version needs a migration where coverage is required', () => {
    const requireCoverage = true;
    expect(
      refusal({ requireCoverage, current: '1.9.0', ladder: [migration('a', '1.5.0')] }),
    ).to.equal(
      'MigrationCoverageMissing: no migration leads from 1.9.0 towards 2.0.0, which is another major ' +
        'version; add one, or unset spec.version.requireMigrationCoverage',
    );
    expect(plan({ requireCoverage, desired: '1.9.0' })).to.deep.equal([]);
    expect(plan({ requireCoverage, ladder: [migration('a', '1.5.0')] })).to.have.length(1);
    const down = { current: '3.0.0', desired: '2.0.0', allowDowngrade: true };
    expect(plan({ requireCoverage, ...down })).to.deep.equal([]);
  });

  it('skips what is on record, and nothing of another content', () => {
    const two = migration('b', '2.0.0', { actions: steps('one', 'two') });
    const done = migration('a', '1.5.0');
    const ledger = {
      migrations: [migrationKey(done)],
      actions: [`${migrationKey(done)}/a-up`, `${migrationKey(two)}/one`],
    };
    expect(plan({ ladder: [done, two], ledger })).to.deep.equal([
      'Up a before db: done',
      'Up b before db: two',
    ]);
    const edited = migration('a', '1.5.0', { actions: steps('a-up', 'more') });
    expect(plan({ ladder: [edited, two], ledger })).to.deep.equal([
      'Up a before db: a-up more',
      'Up b before db: two',
    ]);
  });

  it('keeps what is on record of one migration from another whose name has an @', () => {
    const short = migration('a', '1.5.0');
    const long = migration('a@b', '1.6.0');
    const ledger = { migrations: [migrationKey(long)], actions: [] };
    expect(plan({ ladder: [short, long], ledger })).to.deep.equal([
      'Up a before db: a-up',
      'Up a@b before db: done',
    ]);
  });
});

describe('a downgrade', () => {
  const ladder = [
    migration('one', '1.0.0'),
    migration('two', '2.0.0', { from: '>=9.0.0' }),
    migration('three', '3.0.0'),
  ];
  const down = { current: '3.0.0', desired: '1.0.0', allowDowngrade: true, ladder };

  it('is refused unless it is allowed', () => {
    expect(refusal({ ...down, allowDowngrade: undefined })).to.equal(
      'DowngradeNotAllowed: version 1.0.0 is lower than the deployed 3.0.0; deliver 3.0.0 or a later ' +
        'version, or set spec.version.allowDowngrade',
    );
  });

  it('undoes all that leads above it, newest first, whoever it was meant for', () => {
    expect(plan(down)).to.deep.equal([
      'Down three before db: three-down',
      'Down two before db: two-down',
    ]);
  });

  it('is refused where something of it has no way back, and nothing runs', () => {
    const oneWay = [...ladder, migration('four', '2.5.0', { down: [] })];
    expect(refusal({ ...down, ladder: oneWay })).to.equal(
      'DowngradeRequiresMigration: migrations cannot be undone, since they have no down actions: four; ' +
        'write them, or deliver a version that keeps them',
    );
  });

  it('unwinds stage by stage, and names what that puts before something newer (gap: part B 2.5)', () => {
    const crossing = [
      migration('one', '1.5.0', { stage: 'db' }),
      migration('two', '2.0.0', { stage: 'web' }),
      migration('three', '3.0.0', { stage: 'db' }),
    ];
    const decided = planMigrations(question({ ...down, ladder: crossing }));
    expect(lines(decided)).to.deep.equal([
      'Down three before db: three-down',
      'Down one before db: one-down',
      'Down two before web: two-down',
    ]);
    expect(decided.kind === 'Planned' && decided.outOfOrder).to.deep.equal(['one']);
    expect(migrationsBefore(decided, 'web').map(({ key }) => key)).to.deep.equal([
      migrationKey(migration('two', '2.0.0', { stage: 'web' })),
    ]);
  });

  it('unwinds newest first over all where the stages allow it (gap: part B 2.5)', () => {
    const aligned = [
      migration('two', '2.0.0', { stage: 'web' }),
      migration('three', '3.0.0', { stage: 'db' }),
    ];
    const decided = planMigrations(question({ ...down, ladder: aligned }));
    expect(lines(decided)).to.deep.equal([
      'Down three before db: three-down',
      'Down two before web: two-down',
    ]);
    expect(decided.kind === 'Planned' && decided.outOfOrder).to.deep.equal([]);
  });

  it('goes on where it stopped', () => {
    const [, two, three] = ladder;
    if (two === undefined || three === undefined) throw new Error('no ladder');
    const ledger = {
      migrations: [migrationKey(three)],
      actions: [`${migrationKey(three)}/down/three-down`],
    };
    expect(plan({ ...down, ledger })).to.deep.equal([
      'Down three before db: done',
      'Down two before db: two-down',
    ]);
  });
});

describe('a change of the version that was left unfinished', () => {
  const two = migration('two', '2.0.0');
  const three = migration('three', '3.0.0', { actions: steps('up-1', 'up-2') });
  const ladder = [two, three];
  /** On the way from 1.0.0 to 3.0.0; the second step of the last migration failed. */
  const ledger = {
    migrations: [migrationKey(two)],
    actions: [`${migrationKey(two)}/two-up`, `${migrationKey(three)}/up-1`],
  };

  it('is undone when the old version is wanted again (gap: part B 2.4)', () => {
    const back = { desired: '1.0.0', ladder, ledger, allowDowngrade: true };
    const decided = planMigrations(question(back));
    expect(lines(decided)).to.deep.equal([
      'Down three before db: three-down',
      'Down two before db: two-down',
    ]);
    expect(decided).to.include({ kind: 'Planned', direction: 'Down' });
    expect(needsLadder({ current: '1.0.0', desired: '1.0.0', ledger })).to.equal(true);
  });

  it('is refused by name where downgrades are not allowed (gap: part B 2.4)', () => {
    expect(refusal({ desired: '1.0.0', ladder, ledger })).to.equal(
      'DowngradeNotAllowed: an unfinished change of the version has carried out migrations above 1.0.0, ' +
        'at least in part: two, three; deliver version 3.0.0 or a later one, or set ' +
        'spec.version.allowDowngrade to undo them by their down actions',
    );
    expect(refusal({ desired: '0.9.0', ladder, ledger })).to.match(
      /^DowngradeNotAllowed: version 0.9.0 is lower .* an unfinished change has carried out two, three/,
    );
  });

  it('is refused by name where a migration has no way back (gap: part B 2.4)', () => {
    const oneWay = [two, { ...three, down: [] }];
    expect(refusal({ desired: '1.0.0', ladder: oneWay, ledger, allowDowngrade: true })).to.match(
      /^DowngradeRequiresMigration: .*: three;/,
    );
  });

  it('is refused by name where the ladder has lost a migration of it (gap: part B 2.4)', () => {
    const lost = { desired: '1.0.0', ladder: [two], ledger, allowDowngrade: true };
    expect(refusal(lost)).to.equal(
      'DowngradeRequiresMigration: an unfinished change of the version has carried out migrations, at ' +
        'least in part, that are no longer among the migrations: three; put them back, with down actions',
    );
    const between = { ...lost, desired: '2.0.0' };
    expect(refusal({ ...between, pending: [three] })).to.match(
      /^DowngradeRequiresMigration: .*three/,
    );
    expect(plan(between)).to.deep.equal(['Up two before db: done']);
  });

  it('is undone in part when a version between is wanted', () => {
    const between = { desired: '2.0.0', ladder, ledger };
    expect(plan({ ...between, allowDowngrade: true })).to.deep.equal([
      'Down three before db: three-down',
      'Up two before db: done',
    ]);
    expect(refusal(between)).to.match(
      /^DowngradeNotAllowed: .* above 2.0.0, at least in part: three;/,
    );
  });

  it('that went down is done again when the higher version is wanted again', () => {
    const halfway = {
      migrations: [migrationKey(three)],
      actions: [`${migrationKey(three)}/down/three-down`, `${migrationKey(two)}/down/two-down`],
    };
    const up = { current: '3.0.0', desired: '3.0.0', ladder, ledger: halfway };
    expect(plan(up)).to.deep.equal(['Up two before db: two-up', 'Up three before db: up-1 up-2']);
    expect(plan({ ...up, desired: '4.0.0' })).to.deep.equal([
      'Up two before db: two-up',
      'Up three before db: up-1 up-2',
    ]);
    expect(refusal({ ...up, ladder: [two] })).to.match(/^DowngradeRequiresMigration: .*: three;/);
  });

  it('of a migration without any action has nothing to undo', () => {
    const bare = migration('bare', '2.0.0', { actions: [], down: [] });
    const onRecord = { migrations: [migrationKey(bare)], actions: [] };
    expect(plan({ desired: '1.0.0', ladder: [bare], ledger: onRecord })).to.deep.equal(['None']);
  });
});
