import type { Action, Migration, StageSetSpec } from '../../types/stages.ts';
import { isProblem } from '../problem.ts';
import { anchorOf, ladderLimits, notVersion, readFrom } from '../version/ladder.ts';
import { downMark } from '../version/migration-key.ts';
import { parseVersion } from '../version/semver.ts';
import { nameProblems, typeProblems } from './actions.ts';
import { cut } from './field-path.ts';
import type { FieldProblem } from './field-problem.ts';
import { sourceReferenceProblems } from './named-objects.ts';

/** Specs that were checked, as long as somebody holds them: they are asked about at each look. */
const checked = new WeakMap<StageSetSpec, readonly FieldProblem[]>();

/** Migrations that could never be carried out as they are meant (part A 9.4, rule 7). */
export function migrationProblems(spec: StageSetSpec): readonly FieldProblem[] {
  const known = checked.get(spec);
  if (known !== undefined) return known;
  const problems = problemsOf(spec);
  checked.set(spec, problems);
  return problems;
}

function problemsOf(spec: StageSetSpec): FieldProblem[] {
  const { migrations = [], migrationsSourceRef, version } = spec;
  const problems: FieldProblem[] = [];
  const path = migrationsSourceRef === undefined ? 'spec.migrations' : 'spec.migrationsSourceRef';
  if (migrations.length === 0 && migrationsSourceRef === undefined) return problems;
  if (version === undefined) {
    problems.push({ path, message: 'needs spec.version: migrations are steps between versions' });
  }
  if (migrationsSourceRef !== undefined) {
    if (migrations.length > 0) {
      problems.push({ path, message: 'excludes spec.migrations; keep one of them' });
    }
    const { sourceRef } = migrationsSourceRef;
    problems.push(...sourceReferenceProblems(`${path}.sourceRef`, sourceRef));
  }
  return [
    ...problems,
    ...anchorProblems(spec),
    ...ladderProblems(migrations, (index) => `spec.migrations[${index}]`, 'spec.migrations'),
  ];
}

/** A ladder decides what runs in the namespace; it comes from there, whatever the installation allows. */
export function foreignLadder(
  { migrationsSourceRef }: Pick<StageSetSpec, 'migrationsSourceRef'>,
  ownNamespace: string | undefined,
): FieldProblem[] {
  const { namespace = '' } = migrationsSourceRef?.sourceRef ?? {};
  if (namespace === '' || ownNamespace === undefined || namespace === ownNamespace) return [];
  const message = 'must be the namespace of the StageSet; leave it out';
  return [{ path: 'spec.migrationsSourceRef.sourceRef.namespace', message }];
}

/** Migrations name a stage by either; a name that two stages have would mean neither. */
function anchorProblems({ stages }: StageSetSpec): FieldProblem[] {
  const owners = new Map(stages.map(({ name }, index) => [name, `spec.stages[${index}].name`]));
  return stages.flatMap(({ migrationAnchor = '' }, index) => {
    const path = `spec.stages[${index}].migrationAnchor`;
    const owner = owners.get(migrationAnchor);
    if (migrationAnchor === '') return [];
    if (owner === undefined) {
      owners.set(migrationAnchor, path);
      return [];
    }
    const message = `is ${cut(migrationAnchor)}, which ${owner} is already; choose another`;
    return [{ path, message }];
  });
}

/**
 * What is wrong with a ladder, wherever it comes from, but for its versions.
 *
 * @param pathOf the path of a migration, by its position
 * @param path that of the whole ladder
 */
export function ladderProblems(
  ladder: readonly Migration[],
  pathOf: (index: number) => string,
  path: string,
): FieldProblem[] {
  if (ladder.length > ladderLimits.migrations) {
    const message = `has ${ladder.length} migrations; at most ${ladderLimits.migrations} are allowed`;
    return [{ path, message }];
  }
  const seen = new Map<string, string>();
  return ladder.flatMap(({ name, actions = [], down = [] }, index) => {
    const at = pathOf(index);
    const first = seen.get(name);
    if (first === undefined) seen.set(name, at);
    return [
      ...nameProblems(at, name, first),
      ...directionProblems(`${at}.actions`, actions, 'Up'),
      ...directionProblems(`${at}.down`, down, 'Down'),
    ];
  });
}

function directionProblems(
  path: string,
  actions: readonly Action[],
  direction: 'Up' | 'Down',
): FieldProblem[] {
  if (actions.length > ladderLimits.actions) {
    const message = `are ${actions.length} actions; at most ${ladderLimits.actions} are allowed`;
    return [{ path, message }];
  }
  const seen = new Map<string, string>();
  return actions.flatMap((action, index) => {
    const at = `${path}[${index}]`;
    const first = seen.get(action.name);
    if (first === undefined) seen.set(action.name, at);
    const taken = direction === 'Up' && action.name.startsWith(downMark);
    return [
      ...nameProblems(at, action.name, first),
      ...(taken ? [{ path: `${at}.name`, message: `must not begin with ${downMark}` }] : []),
      ...refusedFields(at, action),
      ...typeProblems(at, action),
    ];
  });
}

function refusedFields(at: string, { scope, completionAnchor, retries }: Action): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (scope !== undefined) {
    const message = 'has no meaning in a migration, whose actions are done once in it; remove it';
    problems.push({ path: `${at}.scope`, message });
  }
  if (completionAnchor !== undefined) {
    const message = 'belongs to pre and post actions with scope: Lifetime only; remove it';
    problems.push({ path: `${at}.completionAnchor`, message });
  }
  if (retries !== undefined && retries > ladderLimits.retries) {
    const message = `is ${retries}; at most ${ladderLimits.retries} are allowed in a migration`;
    problems.push({ path: `${at}.retries`, message });
  }
  return problems;
}

/**
 * Versions of a ladder that are none. A StageSet that is stored with one is `InvalidVersion` as soon as
 * its version is to change, and not before (part B 2.1).
 */
export function ladderVersionProblems(
  ladder: readonly Migration[],
  pathOf: (index: number) => string,
): FieldProblem[] {
  return ladder.flatMap(({ to, from }, index) => {
    const problems: FieldProblem[] = [];
    if (parseVersion(to) === undefined) {
      problems.push({ path: `${pathOf(index)}.to`, message: notVersion(to) });
    }
    const meant = readFrom(from);
    if (meant !== undefined && isProblem(meant)) {
      problems.push({ path: `${pathOf(index)}.from`, message: meant.problem });
    }
    return problems;
  });
}

/** Inline migrations before a stage that does not exist. Of stored ones, only those that are needed fail. */
export function lostAnchors({ migrations = [], stages }: StageSetSpec): FieldProblem[] {
  return migrations.flatMap((migration, index) => {
    if (anchorOf(migration, stages) !== undefined) return [];
    const stage = cut(migration.stage ?? '');
    const message = `is ${stage}, and no stage has that name or migrationAnchor; correct one of them`;
    return [{ path: `spec.migrations[${index}].stage`, message }];
  });
}

/**
 * Why a ladder may not be carried out here: it calls hosts, on the way up or down, and the installation
 * does not say which may be called (edge case 10, part B 13). Undefined where it may.
 */
export function httpMigrationProblem(
  ladder: readonly Migration[],
  allowedActionHosts: readonly string[],
): { readonly reason: 'InvalidSpec'; readonly message: string } | undefined {
  if (allowedActionHosts.length > 0) return undefined;
  const calls = ({ http }: Action): boolean => http !== undefined;
  const names = ladder
    .filter(({ actions = [], down = [] }) => actions.some(calls) || down.some(calls))
    .map(({ name }) => name);
  if (names.length === 0) return undefined;
  const message =
    `migrations with http actions need --allowed-action-hosts, which this installation does not set: ` +
    `${names.slice(0, 5).map(cut).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`;
  return { reason: 'InvalidSpec', message };
}
