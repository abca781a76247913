import { TerminalError } from '../core/errors.ts';
import type { ArtifactFiles } from '../core/objects/artifact-files.ts';
import { buildDirectory, kustomizationIn } from './build-directory.ts';
import { KustomizationWalk } from './kustomization.ts';
import { contentOf } from './plan.ts';

/**
 * The files that the build of a directory reads: its manifests and whatever kustomizations refer to.
 * An artifact may hold files for other stages and other people, sealed with keys that this one lacks.
 *
 * @returns all files where the way through them is not clear, such as past a sealed kustomization.
 */
export function filesOfBuild(files: ArtifactFiles, path: string | undefined): ArtifactFiles {
  try {
    return new Map([...pathsOf(files, path)].flatMap((name) => entryOf(files, name)));
  } catch (error) {
    // The build will say what is wrong, if it still is when all is decrypted.
    if (error instanceof TerminalError) return files;
    throw error;
  }
}

function pathsOf(files: ArtifactFiles, path: string | undefined): Set<string> {
  const directory = buildDirectory(files, path);
  const walk = new KustomizationWalk(files);
  const paths = new Set<string>();
  if (kustomizationIn(files, directory) === undefined) {
    const { manifestPaths, nested } = contentOf(files, directory);
    for (const manifest of manifestPaths) paths.add(manifest);
    for (const child of nested) walk.visit(child, directory);
  } else {
    walk.visit(directory, directory);
  }
  for (const name of [...walk.originals, ...walk.rewritten.keys()]) paths.add(name);
  return paths;
}

function entryOf(files: ArtifactFiles, path: string): (readonly [string, Uint8Array])[] {
  const content = files.get(path);
  return content === undefined ? [] : [[path, content]];
}
