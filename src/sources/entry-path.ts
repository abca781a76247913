import { badArtifact } from './failures.ts';

const maxPath = 1024;
const maxSegment = 255;

/** Files of tools that have nothing to do with what is applied. */
const conventional =
  /^\.(?:git.*|sourceignore|krmignore|helmignore|dockerignore|editorconfig|DS_Store)$/;

/**
 * The clean path of a file in an artifact, or undefined for a conventional dot-file, which is left out.
 *
 * @throws TerminalError for a name that leaves the artifact or that could not be written down safely.
 * It is not left out: the objects of a manifest that vanishes would be pruned (part A 3.4).
 */
export function entryPath(name: string): string | undefined {
  if (name.includes('\0')) throw refused(name, 'its name contains a NUL byte');
  if (name.includes('\\')) throw refused(name, 'its name contains a backslash');
  if (name.startsWith('/')) throw refused(name, 'its path is absolute; make it relative');
  const segments = name.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (segments.includes('..')) throw refused(name, 'its path contains `..`, which could leave it');
  if (segments.length === 0) throw refused(name, 'it has no name');
  if (segments.some((segment) => conventional.test(segment))) return undefined;
  const path = segments.join('/');
  if (!/^[A-Za-z0-9._/-]+$/.test(path)) {
    throw refused(
      name,
      'only letters, digits and `.`, `_`, `-` are supported in names; rename it, or exclude it ' +
        'with .sourceignore',
    );
  }
  if (path.length > maxPath || segments.some((segment) => segment.length > maxSegment)) {
    throw refused(
      name,
      `its path is longer than ${maxPath} characters or a part than ${maxSegment}`,
    );
  }
  return path;
}

function refused(name: string, why: string): Error {
  return badArtifact(`contains the file ${printable(name)}: ${why}`);
}

/** A name as it can be shown: quoted, without control characters, at a bounded length. */
export function printable(name: string): string {
  const shown = name.length > 200 ? `${name.slice(0, 200)}…` : name;
  return JSON.stringify(shown);
}
