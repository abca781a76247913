import type { Action, Migration } from '../../types/stages.ts';
import { isMeantFor, type Rung } from './ladder.ts';
import { migrationKey, stepKey } from './migration-key.ts';
import type { DirectedMigration, Evidence } from './migration-ledger.ts';
import { compareVersions, type Version } from './semver.ts';

/** A migration that has to be carried out, or has been already, for the desired version. */
export interface WantedMigration extends DirectedMigration {
  readonly rung: Rung;
  /** The actions of its direction, in order. */
  readonly steps: readonly MigrationStep[];
  /** Whether it is on record as a whole. */
  readonly done: boolean;
}

export interface MigrationStep {
  readonly action: Action;
  /** Whether it is on record and skipped. */
  readonly done: boolean;
}

export interface VersionChange {
  readonly current: Version;
  readonly desired: Version;
}

/** What a migration has to do with a change of the version; undefined for nothing. */
export function wantedMigration(
  rung: Rung,
  { current, desired }: VersionChange,
  evidence: Evidence | undefined,
): WantedMigration | undefined {
  const isAbove = compareVersions(rung.to, current) > 0;
  const isReached = compareVersions(rung.to, desired) <= 0;
  if (isAbove && isReached)
    return isMeantFor(rung, current) ? advance(rung, 'Up', evidence) : undefined;
  if (!isAbove && !isReached) return advance(rung, 'Down', evidence);
  // What is left is at the desired version as it was at the current one, unless an unfinished change of
  // the version touched it.
  return evidence === undefined ? undefined : revert(rung, isAbove ? 'Down' : 'Up', evidence);
}

function advance(
  rung: Rung,
  direction: 'Up' | 'Down',
  evidence: Evidence | undefined,
): WantedMigration {
  const key = migrationKey(rung.migration);
  const isTurned = opposite(direction, evidence).length > 0;
  const done = !isTurned && (evidence?.whole ?? []).some((entry) => entry.key === key);
  return wanted(rung, { direction, purpose: 'Advance', evidence, done });
}

function revert(
  rung: Rung,
  direction: 'Up' | 'Down',
  evidence: Evidence,
): WantedMigration | undefined {
  const found = wanted(rung, { direction, purpose: 'Revert', evidence, done: false });
  // A migration without any action has done nothing that could be undone.
  const { actions = [], down = [] } = rung.migration;
  return actions.length === 0 && down.length === 0 ? undefined : found;
}

function wanted(
  rung: Rung,
  {
    direction,
    purpose,
    evidence,
    done,
  }: Pick<WantedMigration, 'direction' | 'purpose' | 'done'> & { evidence: Evidence | undefined },
): WantedMigration {
  const { migration } = rung;
  const key = migrationKey(migration);
  // Once the other direction has begun, nothing that was done before stands any more.
  const isTurned = opposite(direction, evidence).length > 0;
  const own = (direction === 'Up' ? evidence?.up : evidence?.down) ?? [];
  const recorded = new Set(isTurned ? [] : own.map(({ text }) => text));
  const steps = actionsOf(migration, direction).map((action) => ({
    action,
    done: done || recorded.has(stepKey(key, direction, action.name)),
  }));
  return { rung, migration, direction, purpose, steps, done };
}

function opposite(direction: 'Up' | 'Down', evidence: Evidence | undefined): Evidence['up'] {
  return (direction === 'Up' ? evidence?.down : evidence?.up) ?? [];
}

function actionsOf({ actions = [], down = [] }: Migration, direction: 'Up' | 'Down'): Action[] {
  return direction === 'Up' ? actions : down;
}
