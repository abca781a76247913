import { sha256Hex } from '../hash.ts';
import { Expansion } from './substitution/expansion.ts';

/**
 * The text with its `${…}` expressions replaced by the values of variables, once: what a value
 * holds is not looked at again (part A 4.5, Flux postBuild). Without any variable the text stays as
 * it is. Positions and lengths count UTF-8 bytes. It takes time in proportion to the text and adds
 * at most 64 MiB to it.
 *
 * @throws TerminalError with reason `StageFailed` for a variable that is not set, an expression that
 * cannot be read, and one that makes too much of too little. It has the variable, the form of the
 * expression and its line in `text`, and never a value.
 */
export function substitute(text: string, variables: ReadonlyMap<string, string>): string {
  return variables.size === 0 ? text : new Expansion(text, variables).run();
}

/**
 * What tells one set of variables from another without saying what they are: SHA-256, as lower-case
 * hex, over a line `<length of key>:<key>=<length of value>:<value>` for each variable, sorted by
 * key, lengths and order by UTF-8 bytes; empty when there are none (part A 4.5).
 */
export function substitutionFingerprint(variables: ReadonlyMap<string, string>): string {
  if (variables.size === 0) return '';
  const sorted = [...variables]
    .map(([key, value]) => ({ key: Buffer.from(key), value, keyText: key }))
    .sort((one, other) => Buffer.compare(one.key, other.key));
  const lines = sorted.map(
    ({ key, keyText, value }) =>
      `${key.byteLength}:${keyText}=${Buffer.byteLength(value)}:${value}\n`,
  );
  return sha256Hex(lines.join(''));
}
