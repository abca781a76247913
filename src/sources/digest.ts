import { TerminalError } from '../core/errors.ts';

/**
 * The 64 lower-case hex digits of a Flux artifact digest, `sha256:<hex>` in any case and with blanks
 * around it (part A 3.2).
 *
 * @throws TerminalError for everything else: an artifact without a strong digest is not trusted.
 */
export function sha256Of(digest: string): string {
  const [algorithm = '', hex, ...rest] = digest.trim().toLowerCase().split(':');
  if (hex === undefined || rest.length > 0) {
    throw refused(digest, 'it must be written as sha256:<64 hex digits>');
  }
  if (algorithm !== 'sha256')
    throw refused(digest, `${algorithm} is not supported, only sha256 is`);
  if (!/^[0-9a-f]{64}$/.test(hex)) throw refused(digest, 'sha256 has exactly 64 hex digits');
  return hex;
}

function refused(digest: string, why: string): TerminalError {
  return new TerminalError(`the artifact digest "${digest}" cannot be used: ${why}`, {
    reason: 'StageFailed',
  });
}
