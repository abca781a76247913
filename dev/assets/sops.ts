import type { Progress } from '../progress.ts';
import { requiredVersion } from './binaries.ts';
import { optionalBinary } from './optional.ts';

const sops = 'github.com/getsops/sops/v3';

/**
 * The executable of SOPS: the one that STAGESET_SOPS names, or one of the pinned version. Nothing but
 * the tests that compare our decryption with it asks for it.
 *
 * @throws Error when it can be had nowhere; it says what to install or to set
 */
export async function sopsBinary(progress: Progress, signal?: AbortSignal): Promise<string> {
  const version = await requiredVersion('sops', sops);
  const wanted = {
    name: 'sops',
    version,
    module: 'sops',
    source: 'tools.go',
    package: `${sops}/cmd/sops`,
    stamps: { [`${sops}/version.Version`]: version.replace(/^v/, '') },
    variable: 'STAGESET_SOPS',
    elsewhere: `a release of getsops/sops ${version}`,
  } as const;
  return await optionalBinary(wanted, progress, signal);
}
