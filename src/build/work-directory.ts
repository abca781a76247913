import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeTemporaryDirectory } from '../kubernetes/temporary-directories.ts';

/** How many files are written at the same time. */
const writers = 16;

/**
 * Runs work in a private directory, which is removed afterwards, whatever happens. Nobody else can
 * read it: manifests may hold secrets (part A 4.1).
 */
export async function inWorkDirectory<T>(
  parent: string,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await makeTemporaryDirectory(parent, 'build');
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
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
  const write = async (): Promise<void> => {
    for (let next = pending.next(); next.done !== true; next = pending.next()) {
      signal.throwIfAborted();
      const [path, content] = next.value;
      const parent = dirname(join(directory, path));
      const making = made.get(parent) ?? mkdir(parent, { recursive: true, mode: 0o700 });
      made.set(parent, making);
      await making;
      await writeFile(join(directory, path), content, { mode: 0o600, flag: 'wx' });
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
}
