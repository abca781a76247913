import { expect } from 'chai';
import fc from 'fast-check';
import {
  isEmptyLedger,
  type MigrationLedger,
  withBegin,
  withMigration,
  withStep,
} from '../../../../src/core/version/migration-ledger.ts';
import {
  type PlannedMigration,
  planMigrations,
} from '../../../../src/core/version/plan-migrations.ts';
import { compareVersions, parseVersion } from '../../../../src/core/version/semver.ts';
import type { Migration } from '../../../../src/types/stages.ts';
import { empty, lines, question, stages, steps } from './ladders.ts';

const versions = ['1.0.0', '1.1.0', '1.2.0', '2.0.0', '2.1.0', '3.0.0'];

function order(one: string, other: string): number {
  const [first, second] = [parseVersion(one), parseVersion(other)];
  if (first === undefined || second === undefined) throw new Error('no version');
  return compareVersions(first, second);
}

const ladders = fc
  .array(
    fc.record({
      to: fc.constantFrom(...versions),
      stage: fc.constantFrom('database', 'frontend', ''),
      up: fc.integer({ min: 1, max: 3 }),
      down: fc.integer({ min: 1, max: 3 }),
    }),
    { maxLength: 6 },
  )
  .map((rungs) =>
    rungs.map(
      ({ to, stage, up, down }, index): Migration => ({
        name: `m${index}`,
        to,
        stage,
        actions: steps(...Array.from({ length: up }, (_, step) => `up-${step}`)),
        down: steps(...Array.from({ length: down }, (_, step) => `down-${step}`)),
      }),
    ),
  );

const version = fc.constantFrom(...versions);

function planned(
  ladder: readonly Migration[],
  current: string,
  desired: string,
  ledger: MigrationLedger = empty,
): readonly PlannedMigration[] {
  const plan = planMigrations(question({ ladder, current, desired, ledger, allowDowngrade: true }));
  if (plan.kind === 'Refused') throw new Error(plan.message);
  return plan.kind === 'Planned' ? plan.migrations : [];
}

describe('planning a change of the version', () => {
  it('goes back over what it went up over, in the reverse order of each stage', () => {
    fc.assert(
      fc.property(ladders, version, version, (ladder, one, other) => {
        const [low = '', high = ''] = [one, other].sort(order);
        const ofStage = (stage: string, all: readonly PlannedMigration[]): string[] =>
          all.filter((each) => each.stage === stage).map(({ key }) => key);
        const [up, down] = [planned(ladder, low, high), planned(ladder, high, low)];
        for (const { name } of stages) {
          expect(ofStage(name, down)).to.deep.equal(ofStage(name, up).reverse());
        }
      }),
    );
  });

  it('plans nothing twice, and stage by stage', () => {
    fc.assert(
      fc.property(ladders, version, version, (ladder, current, desired) => {
        const all = planned(ladder, current, desired);
        expect(new Set(all.map(({ key }) => key)).size).to.equal(all.length);
        const positions = all.map((each) => stages.findIndex(({ name }) => name === each.stage));
        expect(positions).to.deep.equal([...positions].sort());
      }),
    );
  });

  it('says the same of what was planned in one change and in several', () => {
    fc.assert(
      fc.property(ladders, version, version, version, (ladder, one, other, third) => {
        const [low = '', middle = '', high = ''] = [one, other, third].sort(order);
        const keys = (from: string, to: string): string[] =>
          planned(ladder, from, to).map(({ key }) => key);
        const [whole, parts] = [keys(low, high), [...keys(low, middle), ...keys(middle, high)]];
        expect(parts.sort()).to.deep.equal(whole.sort());
      }),
    );
  });
});

/** A world in which migrations happen: what was done to each of them, in order. */
class World {
  ledger: MigrationLedger = empty;
  version: string;
  readonly #ladder: readonly Migration[];
  readonly #log = new Map<string, string[]>();
  readonly #initial: string;

  constructor(ladder: readonly Migration[], initial: string) {
    this.#ladder = ladder;
    this.#initial = initial;
    this.version = initial;
  }

  /** Carries out a change until it is done, or until the process ends after so many moments. */
  deliver(desired: string, moments: number): 'Delivered' | 'Ended' {
    let left = moments;
    const isOver = (): boolean => (left -= 1) < 0;
    for (const each of planned(this.#ladder, this.version, desired, this.ledger)) {
      if (each.done) continue;
      if (isOver()) return 'Ended';
      this.ledger = withBegin(this.ledger, each);
      for (const { action, done } of each.steps) {
        if (done) continue;
        if (isOver()) return 'Ended';
        const log = this.#log.get(each.migration.name) ?? [];
        this.#log.set(each.migration.name, [...log, action.name]);
        // It may end between what it does and the record of it.
        if (isOver()) return 'Ended';
        this.ledger = withStep(this.ledger, each, action.name);
      }
      if (isOver()) return 'Ended';
      this.ledger = withMigration(this.ledger, each);
    }
    this.version = desired;
    this.ledger = empty;
    return 'Delivered';
  }

  /** What contradicts the version that was delivered last. */
  contradictions(): string[] {
    return this.#ladder.flatMap((migration) => {
      const log = this.#log.get(migration.name) ?? [];
      const isWanted = order(migration.to, this.version) <= 0;
      const wasThere = order(migration.to, this.#initial) <= 0;
      if (log.length === 0 && isWanted === wasThere) return [];
      const names = (isWanted ? migration.actions : migration.down)?.map(({ name }) => name) ?? [];
      return isWholePass(log, names)
        ? []
        : [`${migration.name} for ${this.version}: ${log.join(' ')}`];
    });
  }
}

/** Whether a log ends with all of these steps in order, each done once or again after an end. */
function isWholePass(log: readonly string[], names: readonly string[]): boolean {
  const distinct = log.filter((name, index) => name !== log[index - 1]);
  return distinct.slice(-names.length).join(' ') === names.join(' ');
}

describe('changes of the version that end at any moment and change their mind', () => {
  it('leave each migration as the delivered version needs it', () => {
    const attempts = fc.array(
      fc.record({ desired: version, moments: fc.integer({ min: 0, max: 14 }) }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(ladders, version, attempts, version, (ladder, initial, all, last) => {
        const world = new World(ladder, initial);
        for (const { desired, moments } of [...all, { desired: last, moments: Infinity }]) {
          if (world.deliver(desired, moments) === 'Ended') continue;
          expect(world.contradictions()).to.deep.equal([]);
          expect(isEmptyLedger(world.ledger)).to.equal(true);
        }
        expect(world.version).to.equal(last);
        expect(
          lines(planMigrations(question({ current: last, desired: last, ladder }))),
        ).to.deep.equal(['None']);
      }),
      { numRuns: 400 },
    );
  });
});
