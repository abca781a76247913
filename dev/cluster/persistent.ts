import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cacheDirectory } from '../assets/cache.ts';
import { isProcess } from '../process/alive.ts';
import { underLock } from '../process/lock.ts';
import { type ClusterOptions, checkName, directoryPrefix, startCluster } from './cluster.ts';

/** What is remembered of a cluster that outlives the command which started it. */
export interface ClusterRecord {
  name: string;
  directory: string;
  kubeconfig: string;
  url: string;
  /** Process ids by component, and `supervisor`. */
  processes: Record<string, number>;
}

const stopDeadline = 15_000;
const pollEvery = 50;

/**
 * Starts a cluster that stays after this process, unless one of this name runs already.
 *
 * @throws Error as `startCluster` does
 */
export async function bringUp(
  options: ClusterOptions & { name: string },
): Promise<{ cluster: ClusterRecord; found: 'running' | 'started' }> {
  return underLock(lockFile(options.name), async () => {
    const known = await readRecord(options.name);
    if (known !== undefined) {
      if (await isProcess(known.processes.supervisor ?? 0, known.directory)) {
        return { cluster: known, found: 'running' };
      }
      // The machine restarted, or somebody killed the supervisor.
      await remove(known);
    }
    const cluster = await startCluster(options);
    const { name, directory, kubeconfig, url } = cluster;
    const record = { name, directory, kubeconfig, url, processes: cluster.processes() };
    try {
      await writeRecord(record);
      await cluster.detach();
    } catch (error) {
      await cluster.stop();
      await rm(recordFile(name), { force: true });
      throw error;
    }
    return { cluster: record, found: 'started' };
  });
}

/** Ends a cluster of {@link bringUp} and removes its data; false when there is none. */
export async function bringDown(name: string): Promise<boolean> {
  return underLock(lockFile(name), async () => {
    const known = await readRecord(name);
    if (known === undefined) {
      return false;
    }
    await remove(known);
    return true;
  });
}

async function remove(cluster: ClusterRecord): Promise<void> {
  const { supervisor = 0, ...components } = cluster.processes;
  await end(supervisor, cluster.directory, 'SIGTERM');
  // The supervisor takes its components along; these are here for when it was killed itself.
  for (const pid of Object.values(components)) {
    await end(pid, cluster.directory, 'SIGKILL');
  }
  if (basename(cluster.directory).startsWith(directoryPrefix)) {
    await rm(cluster.directory, { recursive: true, force: true, maxRetries: 5 });
  }
  await rm(recordFile(cluster.name), { force: true });
}

/** Signals the process only when it is ours, and waits for its end; SIGKILL when that takes long. */
async function end(pid: number, directory: string, signal: NodeJS.Signals): Promise<void> {
  const deadline = Date.now() + stopDeadline;
  let next: NodeJS.Signals | undefined = signal;
  while (await isProcess(pid, directory)) {
    if (next !== undefined) {
      process.kill(pid, next);
      next = undefined;
    } else if (Date.now() > deadline) {
      process.kill(pid, 'SIGKILL');
    }
    await delay(pollEvery);
  }
}

async function readRecord(name: string): Promise<ClusterRecord | undefined> {
  const text = await readFile(recordFile(name), 'utf8').catch(() => undefined);
  if (text === undefined) {
    return undefined;
  }
  const found: unknown = JSON.parse(text);
  if (!isRecord(found)) {
    throw new Error(`${recordFile(name)}: not a record of a cluster; remove the file`);
  }
  return found;
}

async function writeRecord(cluster: ClusterRecord): Promise<void> {
  const file = recordFile(cluster.name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, `${JSON.stringify(cluster, undefined, 2)}\n`);
  await rename(`${file}.new`, file);
}

function isRecord(value: unknown): value is ClusterRecord {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['name', 'directory', 'kubeconfig', 'url'].every(
      (field) => typeof Reflect.get(value, field) === 'string',
    ) &&
    'processes' in value &&
    typeof value.processes === 'object' &&
    value.processes !== null &&
    Object.values(value.processes).every((pid) => Number.isSafeInteger(pid) && Number(pid) > 1)
  );
}

function recordFile(name: string): string {
  checkName(name);
  return join(cacheDirectory(), 'clusters', `${name}.json`);
}

function lockFile(name: string): string {
  checkName(name);
  return join(cacheDirectory(), 'clusters', `${name}.lock`);
}
