import type { Progress } from '../progress.ts';
import { type GoProgram, goProgram } from './go-program.ts';

const sops = 'github.com/getsops/sops/v3';

const program: GoProgram = {
  name: 'sops',
  module: sops,
  package: `${sops}/cmd/sops`,
  stamps: (version) => ({ [`${sops}/version.Version`]: version.replace(/^v/, '') }),
  variable: 'STAGESET_SOPS',
  elsewhere: (version) => `a release of getsops/sops ${version}`,
};

/**
 * The executable of SOPS, see {@link goProgram}. Nothing but the tests that compare our decryption
 * with it asks for it.
 */
export async function sopsBinary(progress: Progress, signal?: AbortSignal): Promise<string> {
  return await goProgram(program, progress, signal);
}
