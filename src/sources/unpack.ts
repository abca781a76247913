import { addAbortSignal, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { ArtifactFiles } from '../core/objects/artifact-files.ts';
import { abortReason } from '../kubernetes/wait.ts';
import { entryPath, printable } from './entry-path.ts';
import { badArtifact } from './failures.ts';
import { type TarEntry, TarReader } from './tar-reader.ts';

/** Bounds of an archive, in bytes where not said otherwise; each is the largest that is accepted. */
export interface UnpackLimits {
  readonly entryBytes: number;
  readonly streamBytes: number;
  readonly contentBytes: number;
  /** Number of entries of any kind. */
  readonly entries: number;
}

const mebibyte = 1024 * 1024;

/** Part A 3.3, and a bound on the number of entries of our own. */
export const defaultUnpackLimits: UnpackLimits = {
  entryBytes: 16 * mebibyte,
  streamBytes: 512 * mebibyte,
  contentBytes: 64 * mebibyte,
  entries: 50_000,
};

/**
 * The regular files of a gzip-compressed tar archive. Directories are passed over, since files imply
 * them; links, devices and all else that is not a file fail, as do names that cannot be kept: leaving
 * such an entry out would leave out what it stands for, and the stage would prune it.
 *
 * @param compressedBytes how long the archive is, to notice what follows after the end of it
 * @throws TerminalError naming the entry and what to do about it.
 */
export async function unpack(
  archive: Readable,
  compressedBytes: number,
  limits: UnpackLimits,
  signal: AbortSignal,
): Promise<ArtifactFiles> {
  const collector = new Collector(limits);
  const reader = new TarReader((entry) => collector.take(entry));
  const gunzip = addAbortSignal(signal, createGunzip({ chunkSize: 64 * 1024 }));
  // A pipeline of streams would now and then report that it was aborted instead of why.
  archive.once('error', (error) => gunzip.destroy(error)).pipe(gunzip);
  gunzip.on('error', () => undefined);
  let streamBytes = 0;
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      streamBytes += chunk.length;
      if (streamBytes > limits.streamBytes) {
        throw badArtifact(`decompresses to more than ${mebibytes(limits.streamBytes)}`);
      }
      reader.push(chunk);
    }
  } catch (error) {
    if (signal.aborted) throw abortReason(signal);
    throw isZlibError(error) ? badArtifact(`is not valid gzip: ${error.message}`) : error;
  } finally {
    archive.destroy();
    gunzip.destroy();
  }
  if (gunzip.bytesWritten !== compressedBytes) throw trailingBytes();
  reader.end();
  return collector.finish();
}

/** zlib stops without a word at bytes after the end that are no further gzip member. */
function trailingBytes(): Error {
  return badArtifact('goes on after the end of its gzip stream');
}

class Collector {
  readonly #limits: UnpackLimits;
  readonly #files = new Map<string, Uint8Array>();
  #entries = 0;
  #contentBytes = 0;

  constructor(limits: UnpackLimits) {
    this.#limits = limits;
  }

  /** Where an entry's content goes; undefined for an entry that is passed over. */
  take({ name, type, size }: TarEntry): Uint8Array | undefined {
    this.#entries += 1;
    if (this.#entries > this.#limits.entries) {
      throw badArtifact(`has more than ${this.#limits.entries} entries; split it`);
    }
    if (type === '5' || (type === '0' && size === 0 && name.endsWith('/'))) {
      refuseEscape(name);
      return undefined;
    }
    if (type !== '0') throw notAFile(name, type);
    if (name.endsWith('/')) {
      throw badArtifact(`contains ${printable(name)}, a directory that has content`);
    }
    const path = entryPath(name);
    if (size > this.#limits.entryBytes) {
      throw badArtifact(
        `contains the file ${printable(name)} of ${size} bytes; a file may have at most ` +
          mebibytes(this.#limits.entryBytes),
      );
    }
    if (path === undefined) return undefined;
    if (this.#files.has(path)) {
      throw badArtifact(`contains the file ${path} twice; which one counts is undecidable`);
    }
    this.#contentBytes += size;
    if (this.#contentBytes > this.#limits.contentBytes) {
      throw badArtifact(
        `contains more than ${mebibytes(this.#limits.contentBytes)} of files; split it`,
      );
    }
    const content = new Uint8Array(size);
    this.#files.set(path, content);
    return content;
  }

  finish(): ArtifactFiles {
    for (const path of this.#files.keys()) {
      for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
        const parent = path.slice(0, end);
        if (this.#files.has(parent)) {
          throw badArtifact(`contains ${parent} as a file and as a directory`);
        }
      }
    }
    return this.#files;
  }
}

function refuseEscape(name: string): void {
  if (name.split('/').includes('..')) {
    throw badArtifact(`contains the directory ${printable(name)}: its path contains \`..\``);
  }
}

const typeNames: Readonly<Record<string, string>> = {
  1: 'a hard link',
  2: 'a symbolic link',
  3: 'a character device',
  4: 'a block device',
  6: 'a FIFO',
};

function notAFile(name: string, type: string): Error {
  const what = typeNames[type] ?? `a tar entry of type ${JSON.stringify(type)}`;
  return badArtifact(
    `contains ${printable(name)}, which is ${what}; only regular files are supported: replace it ` +
      'by the file itself, or exclude it with .sourceignore',
  );
}

function mebibytes(bytes: number): string {
  const whole = bytes / mebibyte;
  return Number.isInteger(whole) ? `${whole} MiB` : `${bytes} bytes`;
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && /^Z_/.test(String(error.code));
}
