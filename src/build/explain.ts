import { TerminalError } from '../core/errors.ts';
import type { ArtifactFiles } from '../core/objects/artifact-files.ts';
import { describeObject } from '../core/objects/identity.ts';
import { type Manifest, readManifests } from '../core/objects/parse.ts';
import { describePosition } from '../core/objects/yaml-position.ts';
import type { DuplicateObject } from './kustomize-errors.ts';

/**
 * What our own reading of the resources of a kustomization adds to kustomize's message, which often
 * has no line and names one of two files only.
 *
 * @param duplicate the object that kustomize has found twice, if that is what it says
 */
export function explainFailure(
  files: ArtifactFiles,
  resources: readonly string[],
  duplicate: DuplicateObject | undefined,
): string[] {
  const read = resources.map((path) => tryToRead(path, files.get(path)));
  if (duplicate === undefined) {
    return read.flatMap((result) => (result instanceof TerminalError ? [result.message] : []));
  }
  return read
    .flatMap((result) => (result instanceof TerminalError ? [] : result))
    .filter(
      ({ object }) => object.kind === duplicate.kind && object.metadata.name === duplicate.name,
    )
    .map(({ at, object }) => `${describeObject(object)} is defined in ${describePosition(at)}`);
}

function tryToRead(
  path: string,
  content: Uint8Array | undefined,
): readonly Manifest[] | TerminalError {
  if (content === undefined) return [];
  try {
    return readManifests([[path, content]], 'Kustomize').manifests;
  } catch (error) {
    if (error instanceof TerminalError) return error;
    throw error;
  }
}
