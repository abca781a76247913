import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Progress } from '../progress.ts';
import { platform } from './binaries.ts';
import { unpackDebianPackage } from './debian.ts';
import { keptBinary } from './optional.ts';

/**
 * The executable of Prometheus: the one that STAGESET_PROMETHEUS names, or the one of this machine's
 * Debian, which stays in the cache. Nothing but the tests of metric sources asks for it, and any
 * version from 2.42 on will do.
 *
 * @throws Error when it can be had nowhere; it says what to install or to set
 */
export async function prometheusBinary(progress: Progress, signal?: AbortSignal): Promise<string> {
  const { os, arch } = platform();
  const wanted = {
    name: 'prometheus',
    folder: `prometheus-${await releaseOfDebian()}-${os}-${arch}`,
    variable: 'STAGESET_PROMETHEUS',
    elsewhere: 'the one of https://prometheus.io/download/',
  };
  return await keptBinary(
    wanted,
    async ({ into, ...how }) => {
      const root = await unpackDebianPackage('prometheus', how);
      await rename(join(root, 'usr', 'bin', 'prometheus'), join(into, 'prometheus'));
    },
    progress,
    signal,
  );
}

/** Its code name, by which its packages differ: `bookworm`; `unknown` on another system. */
async function releaseOfDebian(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^VERSION_CODENAME=(\w+)$/m.exec(text)?.[1] ?? 'unknown';
}
