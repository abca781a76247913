import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RetryableError } from '../core/errors.ts';
import { makeTemporaryDirectory } from '../kubernetes/temporary-directories.ts';

/** How many files are written at the same time. */
const writers = 16;

/**
 * Runs work in a private directory, which is removed afterwards, whatever happens. Nobody else can
 * read it: manifests may hold secrets (part A 4.1).
 *
 * @throws RetryableError when the file system is full, and whatever the work throws.
 */
export async function inWorkDirectory<T>(
  parent: string,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  try {
    const directory = await makeTemporaryDirectory(parent, 'build');
    try {
      return await work(directory);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  } catch (error) {
    throw isFull(error) ? noSpace(parent, error) : error;
  }
}

function isFull(error: unknown): error is Error {
  return (
    error instanceof Error && 'code' in error && ['ENOSPC', 'EDQUOT'].includes(String(error.code))
  );
}

function noSpace(parent: string, cause: Error): RetryableError {
  return new RetryableError(
    `no space is left in ${parent} for the files of the build; enlarge the volume that is mounted ` +
      'there, or split the stage',
    { reason: 'StageFailed', cause },
  );
}

/**
 * Writes files below a directory; only their owner can read them. The paths must be clean.
 *
 * @throws the signal's reason when aborted.
 */
export async function writeFiles(
  directory: string,
  files: Iterable<readonly [path: string, content: string | Uint8Array]>,
  signal: AbortSignal,
): Promise<void> {
  const made = new Map<string, Promise<unknown>>();
  const pending = files[Symbol.iterator]();
  const failed = new AbortController();
  const write = async (): Promise<void> => {
    for (let next = pending.next(); next.done !== true; next = pending.next()) {
      signal.throwIfAborted();
      if (failed.signal.aborted) return;
      const [path, content] = next.value;
      const parent = dirname(join(directory, path));
      const making = made.get(parent) ?? mkdir(parent, { recursive: true, mode: 0o700 });
      made.set(parent, making);
      await making;
      await writeFile(join(directory, path), content, { mode: 0o600, flag: 'wx' });
    }
  };
  // Whoever removes the directory next must not meet a writer that still puts files into it.
  const writing = Array.from({ length: writers }, async () => {
    await write().catch((error: unknown) => {
      failed.abort(error);
    });
  });
  await Promise.all(writing);
  failed.signal.throwIfAborted();
}
