import { access, constants, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { underLock } from '../process/lock.ts';
import type { Progress } from '../progress.ts';
import { platform, requiredVersion } from './binaries.ts';
import { buildFrom } from './build.ts';
import { cacheDirectory } from './cache.ts';
import { sourceController } from './modules.ts';

/** Names a source-controller that is there already, such as one out of Flux's image. */
const sourceControllerVariable = 'STAGESET_SOURCE_CONTROLLER';

/**
 * The executable of Flux's source-controller: the one that STAGESET_SOURCE_CONTROLLER names, or the
 * one in the cache, or a build from the Go module proxy at the pinned version, which then stays in
 * the cache. Nothing but the tests with a real Flux asks for it.
 *
 * @throws Error when it can be had nowhere; it says what to install or to set
 */
export async function sourceControllerBinary(
  progress: Progress,
  signal?: AbortSignal,
): Promise<string> {
  const named = process.env[sourceControllerVariable];
  if (named !== undefined && named !== '') return await given(resolve(named));
  const version = await requiredVersion('source-controller', sourceController);
  const { os, arch } = platform();
  const cache = join(cacheDirectory(), 'assets');
  const into = join(cache, `source-controller-${version}-${os}-${arch}`);
  const binary = join(into, 'source-controller');
  // A lock of its own: whoever only wants a cluster need not wait for this build.
  await underLock(
    join(cache, 'source-controller.lock'),
    async () => {
      if (await isExecutable(binary)) return;
      await mkdir(into, { recursive: true });
      await build(version, into, { progress, ...(signal === undefined ? {} : { signal }) });
    },
    { ...(signal === undefined ? {} : { signal }), onWait: () => progress('waiting for a build') },
  );
  return binary;
}

async function build(
  version: string,
  into: string,
  told: { progress: Progress; signal?: AbortSignal },
): Promise<void> {
  const scratch = await mkdtemp(join(into, 'unfinished-'));
  const recipe = {
    name: 'source-controller',
    version,
    module: 'source-controller',
    package: sourceController,
    stamps: {},
  } as const;
  try {
    await buildFrom(recipe, { ...told, scratch, into });
  } catch (error) {
    told.signal?.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `source-controller can be had nowhere. ${reason}\nOr set ${sourceControllerVariable} to its executable, such as the one in the image fluxcd/source-controller:${version}.`,
      { cause: error },
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function given(file: string): Promise<string> {
  if (await isExecutable(file)) return file;
  throw new Error(`${sourceControllerVariable}: ${file} is no executable file`);
}

async function isExecutable(file: string): Promise<boolean> {
  return await access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
