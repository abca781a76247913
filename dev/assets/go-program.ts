import { access, constants, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { underLock } from '../process/lock.ts';
import type { Progress } from '../progress.ts';
import { platform, requiredVersion } from './binaries.ts';
import { buildFrom, type Recipe } from './build.ts';
import { cacheDirectory } from './cache.ts';

/** A program that only some tests need, and that no cluster waits for. */
export interface GoProgram {
  readonly name: Extract<Recipe['module'], 'source-controller' | 'sops'>;
  /** The Go module whose version counts, as `<name>/go.mod` requires it. */
  readonly module: string;
  readonly package: string;
  readonly stamps: (version: string) => Record<string, string>;
  /** Environment variable that names an executable which is there already. */
  readonly variable: string;
  /** Where to get one, for the error: `the one in the image …`. */
  readonly elsewhere: (version: string) => string;
}

/**
 * The executable of a program: the one that its variable names, or the one in the cache, or a build
 * from the Go module proxy at the pinned version, which then stays in the cache.
 *
 * @throws Error when it can be had nowhere; it says what to install or to set
 */
export async function goProgram(
  program: GoProgram,
  progress: Progress,
  signal?: AbortSignal,
): Promise<string> {
  const named = process.env[program.variable];
  if (named !== undefined && named !== '') return await given(program, resolve(named));
  const { name } = program;
  const version = await requiredVersion(name, program.module);
  const { os, arch } = platform();
  const cache = join(cacheDirectory(), 'assets');
  const into = join(cache, `${name}-${version}-${os}-${arch}`);
  const binary = join(into, name);
  // A lock of its own: whoever only wants a cluster need not wait for this build.
  await underLock(
    join(cache, `${name}.lock`),
    async () => {
      if (await isExecutable(binary)) return;
      await mkdir(into, { recursive: true });
      await build(program, version, into, {
        progress,
        ...(signal === undefined ? {} : { signal }),
      });
    },
    { ...(signal === undefined ? {} : { signal }), onWait: () => progress('waiting for a build') },
  );
  return binary;
}

async function build(
  { name, package: path, stamps, variable, elsewhere }: GoProgram,
  version: string,
  into: string,
  told: { progress: Progress; signal?: AbortSignal },
): Promise<void> {
  const scratch = await mkdtemp(join(into, 'unfinished-'));
  const recipe = { name, version, module: name, package: path, stamps: stamps(version) };
  try {
    await buildFrom(recipe, { ...told, scratch, into });
  } catch (error) {
    told.signal?.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${name} can be had nowhere. ${reason}\nOr set ${variable} to its executable, such as ${elsewhere(version)}.`,
      { cause: error },
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function given({ variable }: GoProgram, file: string): Promise<string> {
  if (await isExecutable(file)) return file;
  throw new Error(`${variable}: ${file} is no executable file`);
}

async function isExecutable(file: string): Promise<boolean> {
  return await access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
