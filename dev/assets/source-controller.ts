import type { Progress } from '../progress.ts';
import { requiredVersion } from './binaries.ts';
import { sourceController } from './modules.ts';
import { optionalBinary } from './optional.ts';

/**
 * The executable of Flux's source-controller: the one that STAGESET_SOURCE_CONTROLLER names, or one
 * of the pinned version. Nothing but the tests with a real Flux asks for it.
 *
 * @throws Error when it can be had nowhere; it says what to install or to set
 */
export async function sourceControllerBinary(
  progress: Progress,
  signal?: AbortSignal,
): Promise<string> {
  const version = await requiredVersion('source-controller', sourceController);
  const wanted = {
    name: 'source-controller',
    version,
    module: 'source-controller',
    source: 'tools.go',
    package: sourceController,
    stamps: {},
    variable: 'STAGESET_SOURCE_CONTROLLER',
    elsewhere: `the one in the image fluxcd/source-controller:${version}`,
  } as const;
  return await optionalBinary(wanted, progress, signal);
}
