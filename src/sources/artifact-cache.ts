import { type ArtifactFiles, contentSize } from '../core/objects/artifact-files.ts';
import { onAbort, untilAborted } from '../kubernetes/wait.ts';
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
 * Unpacked artifacts by digest, the least recently used leaving first when there are more bytes than
 * the bound. Artifacts come in under their digest after it was checked only. Those who ask for the
 * same artifact at the same time share one download, which goes on until the last of them gives up.
 */
export class ArtifactCache {
  readonly #fetch: FetchArtifact;
  readonly #maxBytes: number;
  readonly #entries = new Map<string, { readonly files: ArtifactFiles; readonly bytes: number }>();
  readonly #pending = new Map<string, PendingFetch>();
  #bytes = 0;

  constructor(fetch: FetchArtifact, maxBytes: number = 64 * 1024 * 1024) {
    this.#fetch = fetch;
    this.#maxBytes = maxBytes;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @throws what fetching throws; a failure is not remembered. */
  async get(location: ArtifactLocation, signal: AbortSignal): Promise<ArtifactFiles> {
    const digest = sha256Of(location.digest);
    const entry = this.#entries.get(digest);
    if (entry !== undefined) {
      this.#entries.delete(digest);
      this.#entries.set(digest, entry);
      return entry.files;
    }
    signal.throwIfAborted();
    // One with a bad URL must not fail those with a good one.
    const key = `${digest} ${location.url}`;
    const pending = this.#pending.get(key) ?? this.#start(key, digest, location);
    pending.waiting += 1;
    const stopListening = onAbort(signal, () => this.#giveUp(key, pending));
    try {
      return await untilAborted(pending.files, signal);
    } finally {
      stopListening();
    }
  }

  #start(key: string, digest: string, location: ArtifactLocation): PendingFetch {
    const controller = new AbortController();
    const files = this.#fetch(location, controller.signal)
      .then((fetched) => {
        this.#keep(digest, fetched);
        return fetched;
      })
      .finally(() => {
        if (this.#pending.get(key) === pending) this.#pending.delete(key);
      });
    const pending: PendingFetch = { files, controller, waiting: 0 };
    this.#pending.set(key, pending);
    return pending;
  }

  #giveUp(key: string, pending: PendingFetch): void {
    pending.waiting -= 1;
    if (pending.waiting > 0) return;
    if (this.#pending.get(key) === pending) this.#pending.delete(key);
    pending.controller.abort(new Error('Nobody waits for this artifact any more'));
  }

  #keep(digest: string, files: ArtifactFiles): void {
    const bytes = contentSize(files) + files.size * fileOverhead;
    if (bytes > this.#maxBytes || this.#entries.has(digest)) return;
    this.#entries.set(digest, { files, bytes });
    this.#bytes += bytes;
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#entries.delete(oldest);
      this.#bytes -= entry.bytes;
    }
  }
}

interface PendingFetch {
  readonly files: Promise<ArtifactFiles>;
  readonly controller: AbortController;
  waiting: number;
}
