import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const heartbeat = 2_000;
const staleAfter = 15_000;
const retryEvery = 200;

export interface LockOptions {
  /** Called once when another process holds the lock. */
  onWait?: () => void;
  signal?: AbortSignal;
}

/**
 * Does `work` while no other process does work under the same lock file. The holder touches the
 * file every two seconds; a file that nobody touched for fifteen was left by a crash and is taken
 * over. Work under the lock should still end in a rename: after a suspended laptop wakes up, two
 * holders are possible for a moment.
 *
 * @throws what `work` throws, or the signal's reason while waiting
 */
export async function underLock<T>(
  file: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const token = randomUUID();
  await mkdir(dirname(file), { recursive: true });
  await acquire(file, token, options);
  const touch = setInterval(() => {
    const now = new Date();
    // Taken over by another process: there is nothing left to keep alive.
    utimes(file, now, now).catch(() => undefined);
  }, heartbeat);
  try {
    return await work();
  } finally {
    clearInterval(touch);
    if ((await tokenIn(file)) === token) {
      await rm(file, { force: true });
    }
  }
}

async function acquire(file: string, token: string, options: LockOptions): Promise<void> {
  let told = false;
  while (!(await create(file, token))) {
    options.signal?.throwIfAborted();
    if (!(await takeAwayWhenStale(file)) && !told) {
      told = true;
      options.onWait?.();
    }
    await delay(retryEvery, undefined, { signal: options.signal });
  }
}

/** Whether the lock file was made; false when it exists. */
async function create(file: string, token: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(token);
    await handle.close();
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) {
      return false;
    }
    throw error;
  }
}

async function takeAwayWhenStale(file: string): Promise<boolean> {
  const token = await tokenIn(file);
  const touched = await modifiedAt(file);
  if (token === undefined || touched === undefined || Date.now() - touched < staleAfter) {
    return false;
  }
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      return false;
    }
    throw error;
  }
  if ((await tokenIn(aside)) !== token) {
    // Another process took the stale lock over between our look and our rename: give it back.
    await link(aside, file).catch(() => undefined);
  }
  await rm(aside, { force: true });
  return true;
}

async function tokenIn(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}

async function modifiedAt(file: string): Promise<number | undefined> {
  return stat(file).then(
    (found) => found.mtimeMs,
    () => undefined,
  );
}

/** Whether an error of Node's is the one with this code, such as `ENOENT`. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
