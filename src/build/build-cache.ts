import { digestOf } from '../core/hash.ts';
import { substitutionFingerprint } from '../core/objects/substitution.ts';
import { KeptResults } from '../kubernetes/kept-results.ts';
import { SharedCache } from '../kubernetes/shared-cache.ts';
import type { BuildResult } from './build.ts';
import type { BuildSettings } from './plan.ts';

/** All that the result of a build depends on. */
export interface BuildInputs extends BuildSettings {
  /** The artifact; the URL too, as in the cache of artifacts: who has a digest may not fetch it yet. */
  readonly artifact: { readonly url: string; readonly digest: string };
}

/** Most memory of all results together, estimated. */
const maxBytes = 64 * 1024 * 1024;

/**
 * Results of builds, so that a reconcile in which nothing changed downloads and builds nothing. They
 * are frozen. Of variables only a fingerprint is kept.
 */
export class BuildCache {
  readonly #cache: SharedCache<BuildResult>;

  constructor(
    cache = new SharedCache<BuildResult>(new KeptResults(maxBytes, ({ bytes }) => bytes)),
  ) {
    this.#cache = cache;
  }

  /** The same results for others, who wait for no build from here, and nobody here for theirs. */
  beside(): BuildCache {
    return new BuildCache(this.#cache.beside());
  }

  has(inputs: BuildInputs): boolean {
    return this.#cache.has(keyOf(inputs));
  }

  /** @throws what `build` throws; a failure is not remembered. */
  async get(
    inputs: BuildInputs,
    build: (signal: AbortSignal) => Promise<BuildResult>,
    signal: AbortSignal,
  ): Promise<BuildResult> {
    return await this.#cache.get(keyOf(inputs), build, signal);
  }
}

function keyOf({ artifact, path, patches, variables }: BuildInputs): string {
  const { url, digest } = artifact;
  const fingerprint = substitutionFingerprint(variables);
  return digestOf({ url, digest, path: path ?? '', patches, fingerprint });
}
