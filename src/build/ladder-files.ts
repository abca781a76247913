import { TerminalError } from '../core/errors.ts';
import type { ArtifactFiles } from '../core/objects/artifact-files.ts';
import { decodeText } from '../core/objects/yaml.ts';
import { cut } from '../core/validate/field-path.ts';
import {
  isLadderFile,
  type LadderFile,
  type ParsedLadder,
  parseLadder,
} from '../core/version/parse-ladder.ts';
import { seal } from './seal.ts';

/** Memory that a ladder may take, and a migration of it, in bytes as `seal` estimates them. */
const mostOfLadder = 16 * 1024 * 1024;
/** As an object: no StageSet with a larger one could be stored. */
const mostOfMigration = 3 * 1024 * 1024;

/**
 * The ladder in the files of an artifact below a path. A YAML alias makes much of a few bytes, so that
 * what was read is measured, and not the files.
 */
export function ladderOf(files: ArtifactFiles, path: string | undefined): ParsedLadder {
  let parsed: ParsedLadder;
  try {
    parsed = parseLadder(textsOf(files, path));
  } catch (error) {
    if (error instanceof TerminalError) return invalid(error.message);
    throw error;
  }
  return parsed.kind === 'Invalid' ? parsed : (excessOf(parsed) ?? parsed);
}

function textsOf(files: ArtifactFiles, path: string | undefined): LadderFile[] {
  return [...files].flatMap(([file, content]) =>
    isLadderFile(file, path) ? [{ path: file, text: decodeText(content, file) }] : [],
  );
}

function excessOf({ ladder }: Extract<ParsedLadder, { kind: 'Ladder' }>): ParsedLadder | undefined {
  let bytes = 0;
  for (const migration of ladder) {
    const size = seal(migration);
    if (size > mostOfMigration) {
      return invalid(
        `migration ${cut(migration.name)} takes ${size} bytes; at most ${mostOfMigration} are allowed`,
      );
    }
    bytes += size;
  }
  return bytes > mostOfLadder
    ? invalid(`the migrations take ${bytes} bytes; at most ${mostOfLadder} are allowed`)
    : undefined;
}

function invalid(message: string): ParsedLadder {
  return { kind: 'Invalid', reason: 'MigrationArtifactInvalid', message };
}
