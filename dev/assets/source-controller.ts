import type { Progress } from '../progress.ts';
import { type GoProgram, goProgram } from './go-program.ts';
import { sourceController } from './modules.ts';

const program: GoProgram = {
  name: 'source-controller',
  module: sourceController,
  package: sourceController,
  stamps: () => ({}),
  variable: 'STAGESET_SOURCE_CONTROLLER',
  elsewhere: (version) => `the one in the image fluxcd/source-controller:${version}`,
};

/**
 * The executable of Flux's source-controller, see {@link goProgram}. Nothing but the tests with a
 * real Flux asks for it.
 */
export async function sourceControllerBinary(
  progress: Progress,
  signal?: AbortSignal,
): Promise<string> {
  return await goProgram(program, progress, signal);
}
