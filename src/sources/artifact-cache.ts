import { type ArtifactFiles, contentSize } from '../core/objects/artifact-files.ts';
import { KeptResults } from '../kubernetes/kept-results.ts';
import { SharedCache } from '../kubernetes/shared-cache.ts';
import { sha256Of } from './digest.ts';
import type { ArtifactLocation } from './fetch.ts';

/** Fetches one artifact and checks its digest. */
export type FetchArtifact = (
  location: ArtifactLocation,
  signal: AbortSignal,
) => Promise<ArtifactFiles>;

/** Bookkeeping of one cached file, counted so that many empty files are not free. */
const fileOverhead = 256;

/**
 * Unpacked artifacts by URL and digest. The digest alone would not do: whoever has read one somewhere
 * could name it in a source of their own, and get an artifact that they may not fetch.
 */
export class ArtifactCache {
  readonly #fetch: FetchArtifact;
  readonly #cache: SharedCache<ArtifactFiles>;

  constructor(fetch: FetchArtifact, maxBytes: number = 64 * 1024 * 1024) {
    this.#fetch = fetch;
    const sizeOf = (files: ArtifactFiles): number => contentSize(files) + files.size * fileOverhead;
    this.#cache = new SharedCache(new KeptResults(maxBytes, sizeOf));
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#cache.bytes;
  }

  /** @throws what fetching throws; a failure is not remembered. */
  async get(location: ArtifactLocation, signal: AbortSignal): Promise<ArtifactFiles> {
    const key = `${sha256Of(location.digest)} ${location.url}`;
    return await this.#cache.get(
      key,
      async (shared) => await this.#fetch(location, shared),
      signal,
    );
  }
}
