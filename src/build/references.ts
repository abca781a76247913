import type { ArtifactFiles } from '../core/objects/artifact-files.ts';
import { manifestError, type SourcePosition } from '../core/objects/yaml-position.ts';
import { cleanPath, inside } from './build-directory.ts';

/** Where a reference is written: in which field of which kustomization, relative to which directory. */
export interface ReferencePlace {
  readonly field: string;
  readonly at: SourcePosition;
  readonly directory: string;
}

/** What a reference leads to inside the artifact; the root is the empty path. */
export type ReferenceTarget =
  | { readonly kind: 'File'; readonly path: string }
  | { readonly kind: 'Directory'; readonly path: string };

/**
 * Resolves the references of kustomizations against an artifact. kustomize runs without load
 * restrictions, so that files anywhere in the artifact can be used (part A 4.4); that is safe because
 * each reference has passed here before. It would fetch what it takes for a URL, by HTTP or git, past
 * every guard: only what exists in the artifact under a plain relative path is let through.
 */
export class References {
  readonly #files: ArtifactFiles;
  readonly #directories = new Set(['']);

  constructor(files: ArtifactFiles) {
    this.#files = files;
    for (const path of files.keys()) {
      for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
        this.#directories.add(path.slice(0, end));
      }
    }
  }

  /** @throws TerminalError naming the kustomization, its field and the reference. */
  resolve(reference: string, place: ReferencePlace): ReferenceTarget {
    const refuse = (why: string): Error =>
      manifestError(place.at, `${place.field} refers to ${JSON.stringify(reference)}: ${why}`);
    if (reference === '') throw refuse('the reference is empty');
    if (reference.startsWith('/'))
      throw refuse('absolute paths are not allowed; use a relative one');
    if (isRemote(reference)) {
      throw refuse('remote references are not fetched; put the files into the artifact');
    }
    const path = cleanPath(inside(place.directory, reference));
    if (path === undefined)
      throw refuse('it leaves the artifact; only files inside it can be used');
    if (this.#files.has(path)) return { kind: 'File', path };
    if (this.#directories.has(path)) return { kind: 'Directory', path };
    throw refuse('there is no such file or directory in the artifact');
  }

  /** As `resolve`, for a field that takes files only. */
  resolveFile(reference: string, place: ReferencePlace): string {
    const target = this.resolve(reference, place);
    if (target.kind === 'File') return target.path;
    throw manifestError(
      place.at,
      `${place.field} refers to ${JSON.stringify(reference)}: it is a directory, not a file`,
    );
  }
}

/**
 * Whether kustomize or git could take a reference for something remote. Names in an artifact have
 * none of these characters, so that nothing is lost by being strict.
 */
function isRemote(reference: string): boolean {
  return (
    !/^[A-Za-z0-9._/-]+$/.test(reference) ||
    reference.includes('//') ||
    /^(?:www\.)?github\.com(?:\/|$)/i.test(reference)
  );
}
