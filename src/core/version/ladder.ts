import type { Migration, Stage } from '../../types/stages.ts';
import { isProblem, type Problem } from '../problem.ts';
import { admits, type Constraint, parseConstraint } from './constraint.ts';
import { parseVersion, type Version } from './semver.ts';

/** Most of what a ladder may have (part B 2.2). */
export const ladderLimits = {
  migrations: 200,
  /** Actions of one direction of a migration. */
  actions: 100,
  /** Retries of one action. */
  retries: 10,
} as const;

/** A migration with its versions read. */
export interface Rung {
  readonly migration: Migration;
  /** Its place in the ladder, from 0. */
  readonly index: number;
  readonly to: Version;
  /** Undefined where the migration is meant for every version. */
  readonly from: Constraint | undefined;
}

/** The rungs of a ladder in its own order, or what is wrong with the first version of it that is none. */
export function readLadder(ladder: readonly Migration[]): readonly Rung[] | Problem {
  const rungs: Rung[] = [];
  for (const [index, migration] of ladder.entries()) {
    const to = parseVersion(migration.to);
    if (to === undefined) return wrong(migration, `to ${notVersion(migration.to)}`);
    const from = readFrom(migration.from);
    if (from !== undefined && isProblem(from)) return wrong(migration, `from ${from.problem}`);
    rungs.push({ migration, index, to, from });
  }
  return rungs;
}

function wrong({ name }: Migration, what: string): Problem {
  return { problem: `migration ${name}: ${what}` };
}

/** Why a text is no version, to stand behind the name of its field. */
export function notVersion(text: string): string {
  if (text.trim() === '') return 'is empty; write a semantic version such as 2.0.0';
  const shown = text.length > 64 ? `${text.slice(0, 64)}…` : text;
  return `is ${JSON.stringify(shown)}, which is no semantic version such as 2.0.0`;
}

/**
 * The constraint of a migration, or what is wrong with it. A bare version is refused (part B 2.2): it
 * would match that version and no later one, which hardly anybody means.
 */
export function readFrom(text: string | undefined): Constraint | Problem | undefined {
  if (text === undefined || text === '') return undefined;
  const bare = text.trim();
  if (
    /^v?\d+\.\d+\.\d+(?:[-+].*)?$/i.test(bare) &&
    parseVersion(bare.toLowerCase()) !== undefined
  ) {
    const plain = bare.replace(/^v/i, '');
    return {
      problem: `is the bare version ${bare}, which matches that one only; write >=${plain} or =${plain}`,
    };
  }
  return parseConstraint(text);
}

/** Whether a migration is meant for a version that is to be left. */
export function isMeantFor({ from }: Rung, current: Version): boolean {
  return from === undefined || admits(from, current);
}

/** What a migration needs to know of a stage. */
export type AnchoringStage = Pick<Stage, 'name' | 'migrationAnchor'>;

/**
 * The position of the stage that a migration runs before: the first where it names none, the one with
 * that `migrationAnchor`, or the one of that name (part B 2.3). Undefined where there is none.
 */
export function anchorOf(
  { stage = '' }: Pick<Migration, 'stage'>,
  stages: readonly AnchoringStage[],
): number | undefined {
  if (stage === '') return stages.length === 0 ? undefined : 0;
  const anchored = stages.findIndex(({ migrationAnchor }) => migrationAnchor === stage);
  const found = anchored === -1 ? stages.findIndex(({ name }) => name === stage) : anchored;
  return found === -1 ? undefined : found;
}
