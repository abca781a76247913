import {
  generateHybridIdentity,
  generateX25519Identity,
  identityToRecipient,
} from 'age-encryption';
import { generateKey, type PrivateKey } from 'openpgp';

interface AgeKey {
  readonly identity: string;
  readonly recipient: string;
}

/** Private keys that exist for one test run only. */
export interface TestKeys {
  readonly age: AgeKey;
  readonly secondAge: AgeKey;
  readonly postQuantum: AgeKey;
  readonly rsa: PrivateKey;
  readonly curve: PrivateKey;
  /** Nobody has its private key. */
  readonly stranger: string;
}

export async function generateTestKeys(): Promise<TestKeys> {
  const user = { name: 'Test', email: 'test@example.com' };
  const rsa = await generateKey({ type: 'rsa', rsaBits: 2048, userIDs: [user], format: 'object' });
  const curve = await generateKey({
    type: 'ecc',
    curve: 'curve25519Legacy',
    userIDs: [user],
    format: 'object',
  });
  return {
    age: await ageKey(await generateX25519Identity()),
    secondAge: await ageKey(await generateX25519Identity()),
    postQuantum: await ageKey(await generateHybridIdentity()),
    rsa: rsa.privateKey,
    curve: curve.privateKey,
    stranger: await identityToRecipient(await generateX25519Identity()),
  };
}

async function ageKey(identity: string): Promise<AgeKey> {
  return { identity, recipient: await identityToRecipient(identity) };
}

/** The entries of a Secret with all of them. */
export function keyEntries({
  age,
  secondAge,
  postQuantum,
  rsa,
  curve,
}: TestKeys): Map<string, Uint8Array> {
  const text = `# first\n${age.identity}\n\n${secondAge.identity}\n`;
  return new Map(
    Object.entries({
      'team.agekey': text,
      'quantum.agekey': `${postQuantum.identity}\n`,
      'rsa.asc': rsa.armor(),
      'curve.asc': curve.armor(),
      'readme.txt': 'not a key',
    }).map(([name, content]) => [name, Buffer.from(content)] as const),
  );
}
