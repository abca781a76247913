import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TerminalError } from '../core/errors.ts';
import { type Clock, type Duration, seconds } from '../core/time.ts';
import { Alarm } from '../kubernetes/alarm.ts';
import type { Logger } from '../types/log.ts';
import type { CertificateSource, ServingCertificate } from '../types/serving-certificate.ts';
import { bundleOf, certificatesIn } from './bundle.ts';
import { OfferedCertificate } from './offered-certificate.ts';
import { readServingPair } from './serving-pair.ts';

export interface MountedOptions {
  /** Holds `tls.crt`, `tls.key` and, where callers need it, `ca.crt`, as cert-manager writes them. */
  directory: string;
  /** How often the files are looked at. Default 10 s. */
  lookEvery?: Duration;
  clock: Clock;
  logger: Logger;
  /** Told once of every state of the files that could not be taken, for a counter. */
  onFailure?: (error: unknown) => void;
}

const names = ['tls.crt', 'tls.key', 'ca.crt'] as const;

/** More than any chain has; a wrong mount must not be read into memory. */
const longestFile = 1024 * 1024;

/**
 * A certificate that somebody else renews in a mounted Secret. The files are looked at on an
 * interval: inotify misses the kubelet's swap of the link `..data` on some file systems. What cannot
 * be taken is looked at again, and what was taken before is offered meanwhile.
 */
export class MountedCertificates implements CertificateSource {
  readonly #options: MountedOptions;
  readonly #offered: OfferedCertificate;
  readonly #alarm = new Alarm();
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #identity = '';
  #trouble: string | undefined;

  constructor(options: MountedOptions) {
    this.#options = options;
    const { clock, logger, directory } = options;
    const awaiting = `nothing was read from ${directory} yet`;
    this.#offered = new OfferedCertificate({ clock, logger, awaiting });
  }

  /** Begins to look; a certificate is there once `ready` says so. */
  start(): void {
    this.#running ??= this.#run();
  }

  current(): ServingCertificate {
    return this.#offered.current();
  }

  caBundle(): string {
    return this.#offered.caBundle();
  }

  onRenewal(listener: (renewed: ServingCertificate) => void): () => void {
    return this.#offered.onRenewal(listener);
  }

  ready(): string | undefined {
    return this.#offered.ready(this.#trouble);
  }

  /** Why the files as they are now could not be taken, while what is served may still be good. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('The serving certificate is no longer needed'));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { lookEvery = seconds(10) } = this.#options;
    while (!signal.aborted) {
      const settled = await this.#look();
      // Files that change under the reader are whole a moment later.
      await this.#alarm.wait(settled ? lookEvery : Math.min(lookEvery, seconds(1)), signal);
    }
  }

  /** @returns false when the files changed while they were read */
  async #look(): Promise<boolean> {
    const { directory } = this.#options;
    try {
      const identity = await identityOf(directory);
      if (identity === this.#identity) return true;
      const [chain, privateKey, authorities] = await readAll(directory);
      // A swap in between would mix the old pair with the new one.
      if ((await identityOf(directory)) !== identity) return false;
      this.#identity = identity;
      const { serving } = readServingPair(chain, privateKey);
      this.#trouble = undefined;
      this.#offered.take(serving, bundleOf(certificatesIn(authorities)));
    } catch (error) {
      this.#failed(error);
    }
    return true;
  }

  #failed(error: unknown): void {
    const { directory, logger, onFailure } = this.#options;
    const message = error instanceof Error ? error.message : 'the cause is unknown';
    const trouble = `${directory}: ${message}`;
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    logger.warn('the mounted certificate was not taken', { directory, error });
    onFailure?.(error);
  }
}

/** Changes when one of the files does. `stat` follows links, so the swap of `..data` shows too. */
async function identityOf(directory: string): Promise<string> {
  const identities = names.map(async (name) => {
    try {
      const { dev, ino, size, mtimeMs } = await stat(join(directory, name));
      return `${dev}/${ino}/${size}/${mtimeMs}`;
    } catch {
      return 'missing';
    }
  });
  return (await Promise.all(identities)).join(' ');
}

async function readAll(directory: string): Promise<[string, string, string]> {
  const [chain, privateKey] = await Promise.all([
    read(directory, 'tls.crt'),
    read(directory, 'tls.key'),
  ]);
  // Issuers whom everybody trusts anyway leave it out.
  const authorities = await read(directory, 'ca.crt').catch((error: unknown) => {
    if (isMissing(error)) return '';
    throw error;
  });
  return [chain, privateKey, authorities];
}

async function read(directory: string, name: (typeof names)[number]): Promise<string> {
  const file = join(directory, name);
  const { size } = await stat(file);
  if (size > longestFile) {
    throw new TerminalError(`${name}: ${size} bytes are too many for a certificate or key`);
  }
  return await readFile(file, 'utf8');
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
