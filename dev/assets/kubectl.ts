import type { Progress } from '../progress.ts';
import { platform, requiredVersion } from './binaries.ts';
import { kubernetesStamps } from './build.ts';
import { optionalBinary } from './optional.ts';

/** Minor versions that the commands in docs/ are tried with: a folder each in `kubectl/`. */
export const kubectlMinors = ['1.27', '1.31', '1.32', '1.33', '1.37'] as const;
export type KubectlMinor = (typeof kubectlMinors)[number];

/**
 * The executable of kubectl of a minor version: the one that, for 1.27, STAGESET_KUBECTL_1_27 names,
 * or one of the pinned patch. Nothing but the tests with old and new kubectl asks for it.
 *
 * @throws Error when it can be had nowhere; it says what to install or to set
 */
export async function kubectlBinary(
  minor: KubectlMinor,
  progress: Progress,
  signal?: AbortSignal,
): Promise<string> {
  const module = `kubectl/${minor}`;
  // The library v0.27.3 is kubectl v1.27.3.
  const version = (await requiredVersion(module, 'k8s.io/kubectl')).replace(/^v0\./, 'v1.');
  const { os, arch } = platform();
  const wanted = {
    name: 'kubectl',
    version,
    module,
    source: 'main.go',
    package: '.',
    stamps: kubernetesStamps(version),
    variable: `STAGESET_KUBECTL_${minor.replace('.', '_')}`,
    elsewhere: `https://dl.k8s.io/release/${version}/bin/${os}/${arch}/kubectl`,
  } as const;
  return await optionalBinary(wanted, progress, signal);
}
