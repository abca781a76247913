import { TerminalError } from '../errors.ts';
import { sha256Hex } from '../hash.ts';

/**
 * Replaces `${name}` and `${name:-default}`, and `$$` by `$` (part A 4.5).
 *
 * @throws TerminalError for a variable that has neither value nor default; it names the variable.
 */
export function substitute(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$\$|\$\{([A-Za-z0-9_]+)(?::[-=]([^}]*))?\}/g, (match, name, fallback) => {
    if (match === '$$') return '$';
    const value = variables.get(String(name)) ?? (fallback as string | undefined);
    if (value !== undefined) return value;
    throw new TerminalError(`the variable ${String(name)} is not set and has no default`, {
      reason: 'StageFailed',
    });
  });
}

/**
 * SHA-256 over the variables: lines `<len(key)>:<key>=<len(value)>:<value>`, sorted by key, lengths in
 * bytes. Empty for no variables (part A 4.5).
 */
export function substitutionFingerprint(variables: ReadonlyMap<string, string>): string {
  if (variables.size === 0) return '';
  const lines = [...variables]
    .sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
    .map(
      ([key, value]) => `${Buffer.byteLength(key)}:${key}=${Buffer.byteLength(value)}:${value}\n`,
    );
  return sha256Hex(lines.join(''));
}
