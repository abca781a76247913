import { SopsProblem } from './decryption-error.ts';

/** A private age key, and the recipient that it is the key of. */
export interface AgeIdentity {
  /** `AGE-SECRET-KEY-1…` or `AGE-SECRET-KEY-PQ-1…` */
  readonly secret: string;
  /** `age1…` or `age1pq1…` */
  readonly recipient: string;
}

/** Most keys of a file, and of all files together. */
export const mostKeys = 100;

/** Most characters of one sealed data key; a post-quantum recipient takes 2 KiB. */
const longestSealed = 64 * 1024;

/**
 * The keys of an age key file: one a line, between comments and empty lines.
 *
 * @throws Error without anything of the content when a line is something else.
 */
export async function readAgeIdentities(text: string): Promise<AgeIdentity[]> {
  const secrets = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (secrets.length === 0) throw new Error('it has no key');
  // Before they are read: a megabyte of them takes a while.
  if (secrets.length > mostKeys) throw new Error(`it has more than ${mostKeys} keys`);
  const identities: AgeIdentity[] = [];
  for (const [index, secret] of secrets.entries()) {
    identities.push({ secret, recipient: await recipientOf(secret, index + 1) });
  }
  return identities;
}

async function recipientOf(secret: string, position: number): Promise<string> {
  const what = `key ${position} is no age key; it must begin with AGE-SECRET-KEY-1 or AGE-SECRET-KEY-PQ-1`;
  if (!/^AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]{40,120}$/.test(secret)) throw new Error(what);
  const { identityToRecipient } = await import('age-encryption');
  try {
    return await identityToRecipient(secret);
  } catch {
    // The library's own words could have parts of the key.
    throw new Error(`key ${position} is damaged`);
  }
}

/**
 * Opens a data key that is sealed for an identity.
 *
 * @throws SopsProblem when it is sealed for another one, or is no armored age file.
 */
export async function openWithAge(sealed: string, { secret }: AgeIdentity): Promise<Uint8Array> {
  if (sealed.length > longestSealed) {
    throw new SopsProblem('data key', `a data key has more than ${longestSealed} characters`);
  }
  const { armor, Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  decrypter.addIdentity(secret);
  try {
    return await decrypter.decrypt(armor.decode(sealed));
  } catch {
    throw new SopsProblem('data key', 'a data key is damaged or not sealed for its recipient');
  }
}
