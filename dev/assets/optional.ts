import { access, constants, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { underLock } from '../process/lock.ts';
import type { Progress } from '../progress.ts';
import { platform } from './binaries.ts';
import { buildFrom, type Recipe } from './build.ts';
import { cacheDirectory } from './cache.ts';

/** An executable that no cluster needs, only some tests. */
export interface KeptBinary {
  /** Of the executable, and of its lock in the cache. */
  readonly name: string;
  /** Of its folder in the cache, with what it depends on: version and platform. */
  readonly folder: string;
  /** Environment variable that names an executable which is there already. */
  readonly variable: string;
  /** Where such an executable may come from: `the one in the image X`. */
  readonly elsewhere: string;
}

/** Puts an executable into a directory. */
export type Obtain = (how: {
  /** To work in; it is removed afterwards. */
  readonly scratch: string;
  readonly into: string;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
}) => Promise<void>;

/**
 * The executable that `variable` names, or the one in the cache, or one that is obtained now and then
 * stays in the cache.
 *
 * @throws Error when it can be had nowhere; it says what to install or to set
 */
export async function keptBinary(
  wanted: KeptBinary,
  obtain: Obtain,
  progress: Progress,
  signal?: AbortSignal,
): Promise<string> {
  const named = process.env[wanted.variable];
  if (named !== undefined && named !== '') return await given(wanted.variable, resolve(named));
  const cache = join(cacheDirectory(), 'assets');
  const into = join(cache, wanted.folder);
  const binary = join(into, wanted.name);
  // A lock of its own: whoever only wants a cluster need not wait for this one.
  await underLock(
    join(cache, `${wanted.name}.lock`),
    async () => {
      if (await isExecutable(binary)) return;
      await mkdir(into, { recursive: true });
      const told = { progress, ...(signal === undefined ? {} : { signal }) };
      await inScratch(into, async (scratch) => {
        await obtain({ ...told, scratch, into }).catch((error: unknown) => {
          signal?.throwIfAborted();
          throw notToBeHad(wanted, error);
        });
      });
    },
    {
      ...(signal === undefined ? {} : { signal }),
      onWait: () => progress(`another process is getting ${wanted.name}: waiting for it`),
    },
  );
  return binary;
}

/** A binary that is built from the Go module proxy at a pinned version. */
export interface OptionalBinary extends Recipe, Omit<KeptBinary, 'folder'> {
  readonly name: string;
  /** With its leading `v`. */
  readonly version: string;
}

/** As {@link keptBinary}, built from its pinned version. */
export async function optionalBinary(
  wanted: OptionalBinary,
  progress: Progress,
  signal?: AbortSignal,
): Promise<string> {
  const { os, arch } = platform();
  const folder = `${wanted.name}-${wanted.version}-${os}-${arch}`;
  const build: Obtain = async (how) => await buildFrom(wanted, how);
  return await keptBinary({ ...wanted, folder }, build, progress, signal);
}

async function inScratch(into: string, work: (scratch: string) => Promise<void>): Promise<void> {
  const scratch = await mkdtemp(join(into, 'unfinished-'));
  try {
    await work(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function notToBeHad({ name, variable, elsewhere }: KeptBinary, error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  return new Error(
    `${name} can be had nowhere. ${reason}\nOr set ${variable} to its executable, such as ${elsewhere}.`,
    { cause: error },
  );
}

async function given(variable: string, file: string): Promise<string> {
  if (await isExecutable(file)) return file;
  throw new Error(`${variable}: ${file} is no executable file`);
}

async function isExecutable(file: string): Promise<boolean> {
  return await access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
