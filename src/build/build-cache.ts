import { createHmac, randomBytes } from 'node:crypto';
import { digestOf } from '../core/hash.ts';
import { substitutionFingerprint } from '../core/objects/substitution.ts';
import { KeptResults } from '../kubernetes/kept-results.ts';
import { SharedCache } from '../kubernetes/shared-cache.ts';
import type { BuildResult } from './build.ts';
import type { BuildSettings } from './plan.ts';
import type { KeyEntries } from './sops/key-entries.ts';

/** All that the result of a build depends on. */
export interface BuildInputs extends BuildSettings {
  /** The artifact; the URL too, as in the cache of artifacts: who has a digest may not fetch it yet. */
  readonly artifact: { readonly url: string; readonly digest: string };
  /** Private keys that files are decrypted with; undefined where none are. */
  readonly keys?: KeyEntries | undefined;
  /** Who asked key services to open what the keys do not; undefined where none was asked. */
  readonly keyIdentity?: string | undefined;
}

/** Most memory of all results together, estimated. */
const maxBytes = 64 * 1024 * 1024;

/**
 * Results of builds, so that a reconcile in which nothing changed downloads and builds nothing. They
 * are frozen. Of variables only a fingerprint is kept, and of keys a hash that means nothing outside
 * this process: whoever has other keys, or none, must not get what these have decrypted.
 */
export class BuildCache {
  readonly #cache: SharedCache<BuildResult>;
  readonly #secret: Uint8Array;

  constructor(
    cache = new SharedCache<BuildResult>(new KeptResults(maxBytes, ({ bytes }) => bytes)),
    secret: Uint8Array = randomBytes(32),
  ) {
    this.#cache = cache;
    this.#secret = secret;
  }

  /** The same results for others, who wait for no build from here, and nobody here for theirs. */
  beside(): BuildCache {
    return new BuildCache(this.#cache.beside(), this.#secret);
  }

  has(inputs: BuildInputs): boolean {
    return this.#cache.has(this.#keyOf(inputs));
  }

  /** @throws what `build` throws; a failure is not remembered. */
  async get(
    inputs: BuildInputs,
    build: (signal: AbortSignal) => Promise<BuildResult>,
    signal: AbortSignal,
  ): Promise<BuildResult> {
    return await this.#cache.get(this.#keyOf(inputs), build, signal);
  }

  #keyOf({ artifact, path, patches, variables, keys, keyIdentity }: BuildInputs): string {
    const { url, digest } = artifact;
    const fingerprint = substitutionFingerprint(variables);
    const decryption = keys === undefined ? '' : `${this.#hashOf(keys)} ${keyIdentity ?? ''}`;
    return digestOf({ url, digest, path: path ?? '', patches, fingerprint, decryption });
  }

  #hashOf(keys: KeyEntries): string {
    const hash = createHmac('sha256', this.#secret);
    for (const [name, content] of [...keys].sort(([one], [other]) => (one < other ? -1 : 1))) {
      hash.update(`${name.length}:${name}=${content.byteLength}:`).update(content);
    }
    return hash.digest('hex');
  }
}
