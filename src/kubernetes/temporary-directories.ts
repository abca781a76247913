import { mkdtemp, readdir, realpath, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** `stageset-<purpose>-<process id>-<random>`: what this program leaves if it is ended by force. */
const ours = /^stageset-(?:build|artifact)-([0-9]+)-[A-Za-z0-9]{6}$/;

/** A new directory that only its owner can read. @returns its path without symbolic links. */
export async function makeTemporaryDirectory(
  parent: string,
  purpose: 'build' | 'artifact',
): Promise<string> {
  return await realpath(await mkdtemp(join(parent, `stageset-${purpose}-${process.pid}-`)));
}

/**
 * Removes the directories that processes of this program have left, which were ended by force:
 * manifests may hold secrets, and a disk fills up. A directory stays when it is younger than this
 * process, or when its process may still be alive; in a container all have the same id, and the
 * older one is dead for sure.
 *
 * @returns how many were removed; what cannot be removed is left.
 */
export async function sweepTemporaryDirectories(parent: string): Promise<number> {
  let removed = 0;
  for (const name of await readdir(parent).catch(() => [])) {
    const [, id] = ours.exec(name) ?? [];
    if (id === undefined || !(await isLeft(join(parent, name), Number(id)))) continue;
    try {
      await rm(join(parent, name), { recursive: true, force: true });
      removed += 1;
    } catch {
      // Another user's.
    }
  }
  return removed;
}

async function isLeft(path: string, id: number): Promise<boolean> {
  if (id !== process.pid && isAlive(id)) return false;
  try {
    return (await stat(path)).mtimeMs < performance.timeOrigin;
  } catch {
    return false;
  }
}

function isAlive(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch (error) {
    // Not to be signalled by us, but there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
