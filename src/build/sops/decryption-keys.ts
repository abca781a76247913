import { TerminalError } from '../../core/errors.ts';
import { type AgeIdentity, readAgeIdentities } from './age-keys.ts';
import { type PgpKey, readPgpKeys } from './pgp-keys.ts';

/** Private keys, ready for use. */
export interface DecryptionKeys {
  readonly age: readonly AgeIdentity[];
  readonly pgp: readonly PgpKey[];
}

/** Most keys together. */
const mostKeys = 100;

/** The entry of the Secret could not be used; the message has its name and nothing of its content. */
export class DecryptionKeyError extends TerminalError {
  constructor(entry: string, problem: string) {
    super(`the entry ${entry} of the decryption Secret: ${problem}`, { reason: 'StageFailed' });
  }
}

/** Whether an entry of a Secret is read as keys (part A 10.1); others are not looked at. */
export function isKeyEntry(name: string): boolean {
  return name.endsWith('.agekey') || name.endsWith('.asc');
}

/**
 * The private keys of a Secret's entries: age keys of those that end in `.agekey`, PGP keys of those
 * in `.asc`.
 *
 * @throws DecryptionKeyError for the first entry that cannot be read.
 */
export async function readDecryptionKeys(
  entries: ReadonlyMap<string, Uint8Array>,
): Promise<DecryptionKeys> {
  const age: AgeIdentity[] = [];
  const pgp: PgpKey[] = [];
  for (const [name, content] of entries) {
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(content);
      if (name.endsWith('.agekey')) age.push(...(await readAgeIdentities(text)));
      else if (name.endsWith('.asc')) pgp.push(...(await readPgpKeys(text)));
    } catch (error) {
      // A decoder's error tells nothing that is of use here.
      const known = error instanceof Error && !(error instanceof TypeError);
      throw new DecryptionKeyError(name, known ? error.message : 'it is no UTF-8 text');
    }
    if (age.length + pgp.length > mostKeys) {
      throw new DecryptionKeyError(name, `there are more than ${mostKeys} keys`);
    }
  }
  return { age, pgp };
}
