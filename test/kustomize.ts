import { join } from 'node:path';
import { assetsDirectory } from '../dev/assets/locate.ts';

/** The kustomize program of the tests: KUSTOMIZE_BINARY, or that of the assets. */
export async function kustomizeBinary(): Promise<string> {
  const named = process.env.KUSTOMIZE_BINARY;
  if (named !== undefined && named !== '') return named;
  return join(await assetsDirectory(() => undefined), 'kustomize');
}
