import { isProblem } from '../problem.ts';
import { type AnchoringStage, anchorOf, notVersion, readLadder } from './ladder.ts';
import { type Direction, migrationDigest, migrationKey } from './migration-key.ts';
import { type DirectedMigration, evidenceOf, isEmptyLedger } from './migration-ledger.ts';
import type { MigrationQuestion } from './migration-question.ts';
import { type Refused, refusalOf, refused } from './migration-refusals.ts';
import { compareVersions, isSameVersion, parseVersion } from './semver.ts';
import { type MigrationStep, type WantedMigration, wantedMigration } from './wanted-migrations.ts';

/** A migration in the place where it is carried out: before the pre-actions of its stage. */
export interface PlannedMigration extends DirectedMigration {
  /** `name@<12 hex>` */
  readonly key: string;
  readonly digest: string;
  readonly stage: string;
  /** The actions of its direction, in order; those on record are skipped. */
  readonly steps: readonly MigrationStep[];
  /** Whether it is on record as a whole: then there is nothing to do but to know of it. */
  readonly done: boolean;
}

interface PlannedChange {
  readonly kind: 'Planned';
  readonly direction: Direction;
  /** In the order in which they are carried out, stage by stage. */
  readonly migrations: readonly PlannedMigration[];
  /**
   * Names of those that the order of the stages puts before others which their versions put first, as
   * when a migration to 2.0.0 is undone in the first stage before one to 3.0.0 in the second.
   */
  readonly outOfOrder: readonly string[];
}

export type MigrationPlan =
  /** The version stays as it is. */
  | { readonly kind: 'None' }
  /** The first delivery with a version: nothing is migrated, whatever was there before. */
  | { readonly kind: 'Baseline' }
  | PlannedChange
  | Refused;

/**
 * Whether planning looks at the ladder at all: where the version stays and nothing is unfinished, a
 * ladder in an artifact need not be fetched (part B 2.3).
 */
export function needsLadder(
  question: Pick<MigrationQuestion, 'current' | 'desired' | 'ledger'>,
): boolean {
  const { current = '', desired, ledger } = question;
  return current !== '' && !(isSameVersion(current, desired) && isEmptyLedger(ledger));
}

/**
 * Which migrations a change from the deployed version to the desired one needs, in which order, and what
 * of that is done already (part B 2.3 to 2.5). On the way up these are the ones that lead above the
 * current version and not above the desired one, and are meant for the current one; on the way down all
 * that were passed, newest first within each stage.
 *
 * What an earlier change left unfinished is part of it: a migration that was carried out, even in part,
 * and does not belong to the desired version is undone, and the other way round.
 */
export function planMigrations(question: MigrationQuestion): MigrationPlan {
  const { current: currentText = '', desired: desiredText, ledger } = question;
  const desired = parseVersion(desiredText);
  if (desired === undefined) {
    return refused('InvalidVersion', `the version to deliver ${notVersion(desiredText)}`);
  }
  if (currentText === '') return { kind: 'Baseline' };
  const current = parseVersion(currentText);
  if (current === undefined) {
    const repair = 'set status.version to the version that is deployed';
    return refused('InvalidVersion', `status.version ${notVersion(currentText)}; ${repair}`);
  }
  if (!needsLadder(question)) return { kind: 'None' };
  const rungs = readLadder(question.ladder);
  if (isProblem(rungs)) return refused('InvalidVersion', rungs.problem);
  const evidence = evidenceOf(ledger);
  const change = { current, desired };
  const wanted = rungs.flatMap(
    (rung) => wantedMigration(rung, change, evidence.get(rung.migration.name)) ?? [],
  );
  const refusal = refusalOf(question, { change, wanted, evidence });
  if (refusal !== undefined) return refusal;
  const order = compareVersions(desired, current);
  if (order === 0 && wanted.length === 0) return { kind: 'None' };
  const falls = wanted.some(({ direction }) => direction === 'Down');
  const direction = order < 0 || (order === 0 && falls) ? 'Down' : 'Up';
  return planned(direction, wanted, question.stages);
}

function planned(
  direction: Direction,
  wanted: readonly WantedMigration[],
  stages: readonly AnchoringStage[],
): PlannedChange {
  const byVersion = [...wanted].sort(inVersionOrder);
  const placed = byVersion
    .map((each, rank) => ({ each, rank, stage: anchorOf(each.migration, stages) ?? 0 }))
    // The sort is stable: within a stage the order of the versions stays.
    .sort((one, other) => one.stage - other.stage);
  const outOfOrder = placed
    .filter(({ rank }, place) => placed.slice(place + 1).some((later) => later.rank < rank))
    .map(({ each }) => each.migration.name);
  const migrations = placed.map(({ each, stage }) =>
    plannedMigration(each, stages[stage]?.name ?? ''),
  );
  return { kind: 'Planned', direction, migrations, outOfOrder };
}

/** What is undone comes first, the newest of it before all; then what is done, the oldest first. */
function inVersionOrder(one: WantedMigration, other: WantedMigration): number {
  if (one.direction !== other.direction) return one.direction === 'Down' ? -1 : 1;
  const ascending =
    compareVersions(one.rung.to, other.rung.to) || one.rung.index - other.rung.index;
  return one.direction === 'Up' ? ascending : -ascending;
}

function plannedMigration(
  { migration, direction, purpose, steps, done }: WantedMigration,
  stage: string,
): PlannedMigration {
  const [key, digest] = [migrationKey(migration), migrationDigest(migration)];
  return { migration, direction, purpose, key, digest, stage, steps, done };
}

/** What is to be carried out before the pre-actions of a stage, in order. */
export function migrationsBefore(plan: MigrationPlan, stage: string): readonly PlannedMigration[] {
  if (plan.kind !== 'Planned') return [];
  return plan.migrations.filter((each) => each.stage === stage);
}
