import { statfs } from 'node:fs/promises';
import { RetryableError } from '../../core/errors.ts';

/** File systems that live in memory (`statfs(2)`): tmpfs and ramfs. */
const inMemory: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

/**
 * Refuses a directory on a disk: what was decrypted must not outlive the build. Only Linux tells;
 * elsewhere, where nobody runs a controller, any directory will do.
 *
 * @throws RetryableError that says what to mount.
 */
export async function refuseDisk(directory: string): Promise<void> {
  if (process.platform !== 'linux') return;
  const type = await statfs(directory).then(
    (found) => found.type,
    () => undefined,
  );
  if (type !== undefined && inMemory.has(type)) return;
  throw new RetryableError(
    `decrypted files are put into memory only, and ${directory} ${type === undefined ? 'cannot be used' : 'is on a disk'}; ` +
      'mount an emptyDir with medium: Memory and name it with --decryption-directory',
    { reason: 'StageFailed' },
  );
}
