import { tmpdir } from 'node:os';
import type { Agent } from 'undici';
import { DeniedError, RetryableError, TerminalError } from '../core/errors.ts';
import type { ArtifactFiles } from '../core/objects/artifact-files.ts';
import { type Duration, minutes, seconds } from '../core/time.ts';
import { InFlightLimit } from '../kubernetes/in-flight-limit.ts';
import { abortReason } from '../kubernetes/wait.ts';
import { Guard, type GuardOptions } from '../network/guard.ts';
import { sha256Of } from './digest.ts';
import { type Downloaded, download } from './download.ts';
import { badArtifact, fetchFailed } from './failures.ts';
import { Spool } from './spool.ts';
import { defaultUnpackLimits, type UnpackLimits, unpack } from './unpack.ts';

/** Where an artifact is, and what it must be. */
export interface ArtifactLocation {
  readonly url: string;
  /** `sha256:<hex>` over the compressed bytes. */
  readonly digest: string;
}

export interface FetchOptions extends GuardOptions {
  /** Longest time for one artifact, all redirects included. */
  readonly timeout?: Duration;
  /** Longest time without a sign of the server. */
  readonly silence?: Duration;
  /** Largest archive in bytes. */
  readonly maxDownloadBytes?: number;
  readonly unpackLimits?: Partial<UnpackLimits>;
  /** Where downloads wait until their digest is known; the system's default. */
  readonly temporaryDirectory?: string;
}

/**
 * The callers' own bounds are lower for whoever waits long. This one is for the disk, and may be used
 * up by nobody alone.
 */
const maxDownloads = 48;
/** All may come from one server, as Flux's do; one that hangs must leave some to the others. */
const maxConnectionsPerHost = 32;
/** Unpacking is bound by memory and processor, and by no server: it cannot be made to wait. */
const maxUnpacking = 2;

/**
 * Fetches artifacts over connections of its own. An archive is spooled first, and unpacked only after
 * its digest was right.
 */
export class ArtifactFetcher {
  readonly #guard: Guard;
  readonly #agent: Agent;
  readonly #timeout: Duration;
  readonly #maxDownloadBytes: number;
  readonly #unpackLimits: UnpackLimits;
  readonly #temporaryDirectory: string;
  readonly #downloads = new InFlightLimit(maxDownloads);
  readonly #unpacking = new InFlightLimit(maxUnpacking);

  constructor(options: FetchOptions = {}) {
    const silence = options.silence ?? seconds(30);
    this.#guard = new Guard(options);
    this.#agent = this.#guard.agent(
      {
        headersTimeout: silence,
        bodyTimeout: silence,
        connections: maxConnectionsPerHost,
        pipelining: 1,
      },
      seconds(10),
    );
    this.#timeout = options.timeout ?? minutes(5);
    this.#maxDownloadBytes = options.maxDownloadBytes ?? 64 * 1024 * 1024;
    this.#unpackLimits = { ...defaultUnpackLimits, ...options.unpackLimits };
    this.#temporaryDirectory = options.temporaryDirectory ?? tmpdir();
  }

  /**
   * The files of an artifact whose compressed bytes have the digest.
   *
   * @throws TerminalError when the artifact, its URL or its digest must change first, RetryableError
   * when it could not be fetched now, the signal's reason when aborted.
   */
  async fetch({ url, digest }: ArtifactLocation, signal: AbortSignal): Promise<ArtifactFiles> {
    const expected = sha256Of(digest);
    const location = this.#guard.checkUrl(url);
    const spool = new Spool(this.#temporaryDirectory);
    try {
      const { sha256, bytes } = await this.#download(location, spool, signal);
      if (sha256 !== expected) {
        throw badArtifact(
          `at ${location.origin}${location.pathname} has the digest sha256:${sha256} instead of ` +
            `sha256:${expected}; nothing of it is used`,
        );
      }
      return await within(this.#unpacking, signal, () =>
        unpack(spool.read(), bytes, this.#unpackLimits, signal),
      );
    } finally {
      await spool.dispose();
    }
  }

  /** Cuts downloads off and closes the connections. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #download(url: URL, spool: Spool, signal: AbortSignal): Promise<Downloaded> {
    return within(this.#downloads, signal, async () => {
      const deadline = AbortSignal.timeout(this.#timeout);
      try {
        return await download(url, spool, {
          guard: this.#guard,
          agent: this.#agent,
          maxBytes: this.#maxDownloadBytes,
          signal: AbortSignal.any([signal, deadline]),
        });
      } catch (error) {
        if (signal.aborted) throw abortReason(signal);
        if (deadline.aborted)
          throw fetchFailed(url, `it took longer than ${this.#timeout / 1000} s`);
        throw treated(url, error);
      }
    });
  }
}

async function within<T>(
  limit: InFlightLimit,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  await limit.enter(signal);
  try {
    return await work();
  } finally {
    limit.leave();
  }
}

function treated(url: URL, error: unknown): Error {
  if (
    error instanceof TerminalError ||
    error instanceof RetryableError ||
    error instanceof DeniedError
  ) {
    return error;
  }
  const message = error instanceof Error ? error.message : String(error);
  return fetchFailed(url, message, { cause: error });
}
