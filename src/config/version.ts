import { readFileSync } from 'node:fs';

/**
 * This build's version. The bundler writes it in place of the variable; a run from source, where
 * the variable is not set, reads package.json.
 */
export function version(): string {
  return process.env.STAGESET_VERSION ?? versionFromPackage();
}

function versionFromPackage(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const manifest: unknown = JSON.parse(text);
  if (typeof manifest !== 'object' || manifest === null || !('version' in manifest))
    return 'unknown';
  return typeof manifest.version === 'string' ? manifest.version : 'unknown';
}
