import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Where this project keeps what it fetched or built: `stageset-controller` in XDG_CACHE_HOME or
 * ~/.cache (XDG Base Directory Specification), on a mac in ~/Library/Caches.
 */
export function cacheDirectory(): string {
  const named = process.env.XDG_CACHE_HOME;
  // The XDG specification says that a relative path is to be ignored.
  const root =
    named !== undefined && isAbsolute(named)
      ? named
      : process.platform === 'darwin'
        ? join(homedir(), 'Library', 'Caches')
        : join(homedir(), '.cache');
  return join(root, 'stageset-controller');
}
