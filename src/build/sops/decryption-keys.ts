import { type AgeIdentity, mostKeys, readAgeIdentities } from './age-keys.ts';
import { DecryptionError } from './decryption-error.ts';
import type { KeyEntries } from './key-entries.ts';
import { type PgpKey, readPgpKeys } from './pgp-keys.ts';

/** Private keys, ready for use. */
export interface DecryptionKeys {
  readonly age: readonly AgeIdentity[];
  readonly pgp: readonly PgpKey[];
}

/**
 * The private keys of a Secret's entries: age keys of those that end in `.agekey`, PGP keys of those
 * in `.asc`.
 *
 * @throws DecryptionError for the first entry that cannot be read.
 */
export async function readDecryptionKeys(entries: KeyEntries): Promise<DecryptionKeys> {
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
      throw unusable(name, known ? error.message : 'it is no UTF-8 text');
    }
    if (age.length + pgp.length > mostKeys) {
      throw unusable(name, `there are more than ${mostKeys} keys`);
    }
  }
  return { age, pgp };
}

/** Has the name of the entry, and nothing of its content. */
function unusable(entry: string, problem: string): DecryptionError {
  const message = `the entry ${entry} of the decryption Secret cannot be used: ${problem}`;
  return new DecryptionError(message, 'configure decryption');
}
