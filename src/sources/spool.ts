import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { makeTemporaryDirectory } from '../kubernetes/temporary-directories.ts';

/** Bytes that are kept in memory: most artifacts of manifests fit, and need no file at all. */
const inMemory = 256 * 1024;

/**
 * Keeps a download until its digest is known: in memory while it is small, in a private temporary
 * file from then on, so that a slow or large one holds no memory.
 */
export class Spool {
  readonly #temporaryDirectory: string;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  #directory: string | undefined;
  #file: FileHandle | undefined;

  constructor(temporaryDirectory: string) {
    this.#temporaryDirectory = temporaryDirectory;
  }

  async write(chunk: Buffer): Promise<void> {
    this.#size += chunk.length;
    if (this.#file !== undefined) {
      await this.#file.write(chunk);
      return;
    }
    this.#chunks.push(chunk);
    if (this.#size > inMemory) await this.#moveToFile();
  }

  /** The bytes that were written, from the first one on. */
  read(): Readable {
    return this.#directory === undefined
      ? Readable.from(this.#chunks, { objectMode: false })
      : createReadStream(archiveIn(this.#directory));
  }

  /** Removes what there is of it; nothing may be read any more. */
  async dispose(): Promise<void> {
    this.#chunks.length = 0;
    await this.#file?.close();
    if (this.#directory !== undefined) await rm(this.#directory, { recursive: true, force: true });
  }

  async #moveToFile(): Promise<void> {
    this.#directory = await makeTemporaryDirectory(this.#temporaryDirectory, 'artifact');
    this.#file = await open(archiveIn(this.#directory), 'wx', 0o600);
    for (const chunk of this.#chunks.splice(0)) await this.#file.write(chunk);
  }
}

function archiveIn(directory: string): string {
  return join(directory, 'archive');
}
