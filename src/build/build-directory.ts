import { TerminalError } from '../core/errors.ts';
import type { ArtifactFiles } from '../core/objects/artifact-files.ts';

/** Names under which kustomize looks for its file, in its order. */
export const kustomizationNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/**
 * The directory of a stage's `path` in its artifact: clean, and empty for the root (part A 4.2).
 *
 * @throws TerminalError when the path leaves the artifact or is no directory of it.
 */
export function buildDirectory(files: ArtifactFiles, path: string | undefined): string {
  const directory = cleanPath((path ?? '').replace(/^\/+/, ''));
  if (directory === undefined) {
    throw failed(`path ${path ?? ''} escapes the artifact; name a directory inside it`);
  }
  if (directory !== '' && !hasDirectory(files, directory)) {
    const what = files.has(directory) ? 'a file' : 'not found';
    throw failed(`path ${path ?? ''} is ${what} in the artifact; name a directory of it`);
  }
  return directory;
}

/**
 * Refuses a directory without any manifest: stages are emptied by removing them from the spec, and an
 * artifact that lost its content must not delete everything (part A 4.3). Files are counted, not
 * objects.
 */
export function refuseEmptyDirectory(files: ArtifactFiles, directory: string): void {
  for (const path of filesBelow(files, directory)) if (isManifestName(path)) return;
  const where = directory === '' ? 'the artifact' : `path ${directory} of the artifact`;
  throw failed(
    `${where} contains no manifests: no file ends in .yaml, .yml or .json. To delete what the stage ` +
      'applied, remove the stage from the spec',
  );
}

/** A path without `.` and empty parts and with `..` resolved; undefined when it leaves the root. */
export function cleanPath(path: string): string | undefined {
  const clean: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') clean.push(segment);
    else if (clean.pop() === undefined) return undefined;
  }
  return clean.join('/');
}

/** The path of a name inside a directory. */
export function inside(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** Paths below a directory, at any depth, sorted. */
export function filesBelow(files: ArtifactFiles, directory: string): string[] {
  const prefix = directory === '' ? '' : `${directory}/`;
  return [...files.keys()].filter((path) => path.startsWith(prefix)).sort();
}

/** Whether a path is a manifest by its name. Dot-files are settings of tools, never manifests. */
export function isManifestName(path: string): boolean {
  return /\.(?:ya?ml|json)$/i.test(path) && !path.split('/').some((part) => part.startsWith('.'));
}

/** The kustomization file of a directory. @throws TerminalError when it has more than one. */
export function kustomizationIn(files: ArtifactFiles, directory: string): string | undefined {
  const found = kustomizationNames
    .map((name) => inside(directory, name))
    .filter((path) => files.has(path));
  if (found.length > 1) {
    throw failed(`${found.join(' and ')} are both kustomization files; keep one of them`);
  }
  return found[0];
}

function hasDirectory(files: ArtifactFiles, directory: string): boolean {
  for (const path of files.keys()) if (path.startsWith(`${directory}/`)) return true;
  return false;
}

function failed(message: string): TerminalError {
  return new TerminalError(message, { reason: 'StageFailed' });
}
