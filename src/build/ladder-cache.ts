import { digestOf } from '../core/hash.ts';
import type { ParsedLadder } from '../core/version/parse-ladder.ts';
import { KeptResults } from '../kubernetes/kept-results.ts';
import { SharedCache } from '../kubernetes/shared-cache.ts';
import type { LadderResult } from './read-ladder.ts';

interface Location {
  readonly url: string;
  readonly digest: string;
}

/** Most memory of all ladders together, estimated. */
const maxBytes = 32 * 1024 * 1024;

/** What one counts at least, so that there are a thousand at most. */
const leastBytes = 32 * 1024;

/**
 * Ladders by artifact and path, those that are wrong as well: what a file says of a version does not
 * change, and one artifact may be the source of many StageSets. The URL counts, as in the cache of
 * artifacts: who has a digest may not fetch it yet.
 */
export class LadderCache {
  readonly #cache: SharedCache<LadderResult>;

  constructor(cache = new SharedCache<LadderResult>(new KeptResults(maxBytes, sizeOf))) {
    this.#cache = cache;
  }

  /** The same ladders for others, who wait for no work from here, and nobody here for theirs. */
  beside(): LadderCache {
    return new LadderCache(this.#cache.beside());
  }

  has(location: Location, path: string | undefined): boolean {
    return this.#cache.has(keyOf(location, path));
  }

  /** @throws what `read` throws; that is not remembered. */
  async get(
    location: Location,
    path: string | undefined,
    read: (signal: AbortSignal) => Promise<LadderResult>,
    signal: AbortSignal,
  ): Promise<ParsedLadder> {
    return (await this.#cache.get(keyOf(location, path), read, signal)).parsed;
  }
}

function sizeOf({ bytes }: LadderResult): number {
  return Math.max(bytes, leastBytes);
}

function keyOf({ url, digest }: Location, path: string | undefined): string {
  return digestOf({ url, digest, path: path ?? '' });
}
