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
 * Unpacked artifacts by URL and digest, the least recently used leaving first when there are more
 * bytes than the bound. The digest alone would not do: whoever has read one somewhere could name it in
 * a source of their own, and get an artifact that they may not fetch. Those who ask for the same
 * artifact at the same time share one download, which goes on until the last of them gives up.
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
    const key = `${sha256Of(location.digest)} ${location.url}`;
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, entry);
      return entry.files;
    }
    signal.throwIfAborted();
    const pending = this.#pending.get(key) ?? this.#start(key, location);
    pending.waiting += 1;
    const stopListening = onAbort(signal, () => this.#giveUp(key, pending));
    try {
      return await untilAborted(pending.files, signal);
    } finally {
      stopListening();
    }
  }

  #start(key: string, location: ArtifactLocation): PendingFetch {
    const controller = new AbortController();
    const files = this.#fetch(location, controller.signal)
      .then((fetched) => {
        this.#keep(key, fetched);
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

  #keep(key: string, files: ArtifactFiles): void {
    const bytes = contentSize(files) + files.size * fileOverhead;
    if (bytes > this.#maxBytes || this.#entries.has(key)) return;
    this.#entries.set(key, { files, bytes });
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
