import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { underLock } from '../process/lock.ts';
import type { Progress } from '../progress.ts';
import {
  type Binary,
  binaries,
  envtestBinaries,
  pinnedVersions,
  platform,
  presentIn,
  type Versions,
} from './binaries.ts';
import { buildBinary } from './build.ts';
import { cacheDirectory } from './cache.ts';
import { downloadEnvtest } from './download.ts';

/**
 * The one directory that holds kube-apiserver, etcd, kube-controller-manager, kubectl and
 * kustomize. Each is taken from the first of: KUBEBUILDER_ASSETS, the cache, the official envtest
 * archive, a build from the Go module proxy. What had to be fetched or built stays in the cache.
 *
 * @throws Error when a binary can be had nowhere; it says what to install or to set
 */
export async function assetsDirectory(progress: Progress, signal?: AbortSignal): Promise<string> {
  const named = process.env.KUBEBUILDER_ASSETS;
  const given = named === undefined || named === '' ? undefined : resolve(named);
  const fromGiven = given === undefined ? [] : await presentIn(given);
  if (given !== undefined && fromGiven.length === binaries.length) {
    return given;
  }
  const cache = join(cacheDirectory(), 'assets');
  const versions = await pinnedVersions();
  const pinned = join(cache, directoryName(versions));
  const wanted = binaries.filter((binary) => !fromGiven.includes(binary));
  if ((await missingFrom(pinned, wanted)).length > 0) {
    await underLock(
      join(cache, 'lock'),
      async () => obtain({ cache, pinned, versions, wanted, progress, signal }),
      { signal, onWait: () => progress('another process is getting the binaries: waiting for it') },
    );
  }
  if (given === undefined || fromGiven.length === 0) {
    return pinned;
  }
  return assemble(cache, { given, fromGiven, pinned });
}

interface Obtaining {
  cache: string;
  pinned: string;
  versions: Versions;
  wanted: readonly Binary[];
  progress: Progress;
  signal: AbortSignal | undefined;
}

const scratchPrefix = 'unfinished-';

/** Runs under the lock, so that whatever scratch directory it finds was left by a crash. */
async function obtain(order: Obtaining): Promise<void> {
  await mkdir(order.pinned, { recursive: true });
  for (const name of await readdir(order.cache)) {
    if (name.startsWith(scratchPrefix)) {
      await rm(join(order.cache, name), { recursive: true, force: true });
    }
  }
  const scratch = await mkdtemp(join(order.cache, scratchPrefix));
  try {
    const refusal = await tryDownload(order, scratch);
    for (const binary of await missingFrom(order.pinned, order.wanted)) {
      await buildBinary(binary, { ...order, scratch, into: order.pinned }).catch(
        (error: unknown) => {
          order.signal?.throwIfAborted();
          throw notToBeHad(binary, refusal, error);
        },
      );
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Why there is no archive, or undefined when it was used or could not have helped. */
async function tryDownload(order: Obtaining, scratch: string): Promise<string | undefined> {
  const missing = await missingFrom(order.pinned, order.wanted);
  const wanted = missing.filter((binary) => envtestBinaries.includes(binary));
  if (wanted.length === 0) {
    return undefined;
  }
  try {
    const { versions, progress, signal } = order;
    await downloadEnvtest({
      version: versions.kubernetes,
      wanted,
      scratch,
      into: order.pinned,
      progress,
      signal,
    });
    return undefined;
  } catch (error) {
    order.signal?.throwIfAborted();
    const reason = reasonOf(error);
    order.progress(`no envtest archive (${reason}): building instead`);
    return reason;
  }
}

function notToBeHad(binary: Binary, refusal: string | undefined, error: unknown): Error {
  const archive = refusal === undefined ? '' : `\nThe envtest archive: ${refusal}.`;
  return new Error(
    `${binary} can be had nowhere.${archive}\n${reasonOf(error)}\nOr set KUBEBUILDER_ASSETS to a directory that holds ${binaries.join(', ')}.`,
    { cause: error },
  );
}

/** fetch() says only "fetch failed" and hides the reason below. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

async function missingFrom(directory: string, wanted: readonly Binary[]): Promise<Binary[]> {
  const present = await presentIn(directory, wanted);
  return wanted.filter((binary) => !present.includes(binary));
}

function directoryName(versions: Versions): string {
  const { os, arch } = platform();
  return `kubernetes-${versions.kubernetes}-etcd-${versions.etcd}-kustomize-${versions.kustomize}-${os}-${arch}`;
}

/** A directory of links: the given binaries, and the pinned ones where those are missing. */
async function assemble(
  cache: string,
  sources: { given: string; fromGiven: readonly Binary[]; pinned: string },
): Promise<string> {
  const key = createHash('sha256').update(`${sources.given}\n${sources.pinned}`).digest('hex');
  const directory = join(cache, `assembled-${key.slice(0, 16)}`);
  await mkdir(directory, { recursive: true });
  for (const binary of binaries) {
    const source = sources.fromGiven.includes(binary) ? sources.given : sources.pinned;
    const fresh = join(directory, `.${binary}-${process.pid}`);
    await rm(fresh, { force: true });
    await symlink(join(source, binary), fresh);
    await rename(fresh, join(directory, binary));
  }
  return directory;
}
