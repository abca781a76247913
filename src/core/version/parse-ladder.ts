import type { Migration } from '../../types/stages.ts';
import { TerminalError } from '../errors.ts';
import { readYaml } from '../objects/yaml.ts';
import { describeProblems, type FieldProblem } from '../validate/field-problem.ts';
import { isJsonObject } from '../validate/json-object.ts';
import { parseMigration } from '../validate/migration-schema.ts';
import { ladderProblems, ladderVersionProblems } from '../validate/migrations.ts';
import { ladderLimits } from './ladder.ts';

/** A file of an artifact, with its path from the root of that. */
export interface LadderFile {
  readonly path: string;
  readonly text: string;
}

export type ParsedLadder =
  | { readonly kind: 'Ladder'; readonly ladder: readonly Migration[] }
  | {
      readonly kind: 'Invalid';
      readonly reason: 'MigrationArtifactInvalid';
      readonly message: string;
    };

/** Whether a file of an artifact is part of a ladder under a path; the empty path is all of it. */
export function isLadderFile(file: string, under: string | undefined): boolean {
  if (!/\.(?:ya?ml|json)$/.test(file)) return false;
  const segments = (under ?? '').split('/').filter((segment) => segment !== '' && segment !== '.');
  const path = segments.join('/');
  return path === '' || file === path || file.startsWith(`${path}/`);
}

/**
 * The ladder that the files of an artifact make (part B 2.7): every document of every YAML and JSON file
 * in the order of the paths, each one migration or a list of them. One that is wrong makes the whole
 * ladder invalid, since without it another change would be made than its author meant.
 *
 * @param files those for which {@link isLadderFile} holds
 */
export function parseLadder(files: readonly LadderFile[]): ParsedLadder {
  const found = new Findings();
  for (const file of files.toSorted(byPath)) {
    try {
      found.read(file);
    } catch (error) {
      if (!(error instanceof TerminalError)) throw error;
      return invalid(error.message);
    }
  }
  const { ladder, places, problems } = found;
  const pathOf = (index: number): string => places[index] ?? '';
  problems.push(...ladderProblems(ladder, pathOf, 'the ladder'));
  if (ladder.length <= ladderLimits.migrations) {
    problems.push(...ladderVersionProblems(ladder, pathOf));
  }
  if (problems.length > 0) return invalid(describeProblems(problems));
  if (files.length === 0) {
    return invalid('the artifact has no .yaml, .yml or .json file there; correct the path');
  }
  return ladder.length === 0
    ? invalid('there is no migration in the files; write one, or remove migrationsSourceRef')
    : { kind: 'Ladder', ladder };
}

/** By UTF-16 code units, which is the same everywhere. */
function byPath(one: LadderFile, other: LadderFile): number {
  if (one.path === other.path) return 0;
  return one.path < other.path ? -1 : 1;
}

/** What was read so far. */
class Findings {
  readonly ladder: Migration[] = [];
  /** Where each of them is written. */
  readonly places: string[] = [];
  readonly problems: FieldProblem[] = [];

  read({ path, text }: LadderFile): void {
    for (const { value, at } of readYaml(text, path, 'Kubernetes')) {
      const place = `${path}:${at.line ?? 1}`;
      // The shape decides what it is meant to be, and so which error helps.
      if (Array.isArray(value)) {
        for (const [index, item] of value.entries()) this.#take(item, `${place}[${index}]`);
      } else if (isJsonObject(value)) {
        this.#take(value, place);
      } else {
        this.problems.push({ path: place, message: 'must be a migration or a list of them' });
      }
    }
  }

  #take(value: unknown, place: string): void {
    // Beyond that it is refused by its number alone.
    if (this.ladder.length > ladderLimits.migrations) return;
    const parsed = parseMigration(value);
    if (parsed.ok) {
      this.ladder.push(parsed.value);
      this.places.push(place);
      return;
    }
    for (const { path, message } of parsed.problems) {
      const field = path === '' || path.startsWith('[') ? `${place}${path}` : `${place}.${path}`;
      this.problems.push({ path: field, message });
    }
  }
}

function invalid(message: string): ParsedLadder {
  return { kind: 'Invalid', reason: 'MigrationArtifactInvalid', message };
}
