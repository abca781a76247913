import { access, constants, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { underLock } from '../process/lock.ts';
import type { Progress } from '../progress.ts';
import { platform } from './binaries.ts';
import { buildFrom, type Recipe } from './build.ts';
import { cacheDirectory } from './cache.ts';

/** A binary that no cluster needs, only some tests. */
export interface OptionalBinary extends Recipe {
  /** Of the executable, and of its folder in the cache. */
  readonly name: string;
  /** With its leading `v`. */
  readonly version: string;
  /** Environment variable that names an executable which is there already. */
  readonly variable: string;
  /** Where such an executable may come from: `the one in the image X`. */
  readonly elsewhere: string;
}

/**
 * The executable that `variable` names, or the one in the cache, or a build from the Go module proxy
 * at the pinned version, which then stays in the cache.
 *
 * @throws Error when it can be had nowhere; it says what to install or to set
 */
export async function optionalBinary(
  wanted: OptionalBinary,
  progress: Progress,
  signal?: AbortSignal,
): Promise<string> {
  const named = process.env[wanted.variable];
  if (named !== undefined && named !== '') return await given(wanted.variable, resolve(named));
  const { os, arch } = platform();
  const cache = join(cacheDirectory(), 'assets');
  const into = join(cache, `${wanted.name}-${wanted.version}-${os}-${arch}`);
  const binary = join(into, wanted.name);
  // A lock of its own: whoever only wants a cluster need not wait for this build.
  await underLock(
    join(cache, `${wanted.name}.lock`),
    async () => {
      if (await isExecutable(binary)) return;
      await mkdir(into, { recursive: true });
      await build(wanted, into, { progress, ...(signal === undefined ? {} : { signal }) });
    },
    { ...(signal === undefined ? {} : { signal }), onWait: () => progress('waiting for a build') },
  );
  return binary;
}

async function build(
  wanted: OptionalBinary,
  into: string,
  told: { progress: Progress; signal?: AbortSignal },
): Promise<void> {
  const scratch = await mkdtemp(join(into, 'unfinished-'));
  try {
    await buildFrom(wanted, { ...told, scratch, into });
  } catch (error) {
    told.signal?.throwIfAborted();
    const { name, variable, elsewhere } = wanted;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${name} can be had nowhere. ${reason}\nOr set ${variable} to its executable, such as ${elsewhere}.`,
      { cause: error },
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
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
