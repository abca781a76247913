import type { PrivateKey } from 'openpgp';
import { SopsProblem } from './decryption-error.ts';

/** A private PGP key without a passphrase. */
export interface PgpKey {
  readonly key: PrivateKey;
  /** Of the key and its subkeys, as their long ids: the last 16 digits of a fingerprint. */
  readonly ids: ReadonlySet<string>;
}

/** Most characters of one sealed data key, and of its recipients. */
const longestSealed = 64 * 1024;
const mostRecipients = 100;

/** Bytes of a message that is compressed: a few thousand may stand for gigabytes, outside of any heap. */
const limits = { maxDecompressedMessageSize: 64 * 1024 };

/**
 * The keys of an armored file; it may have several blocks.
 *
 * @throws Error without anything of the content when there is none, or one has a passphrase.
 */
export async function readPgpKeys(text: string): Promise<PgpKey[]> {
  const blocks = text.match(
    /-----BEGIN PGP PRIVATE KEY BLOCK-----[^]*?-----END PGP PRIVATE KEY BLOCK-----/g,
  );
  if (blocks === null) throw new Error('it has no armored private PGP key');
  const { readPrivateKeys } = await import('openpgp');
  const keys: PgpKey[] = [];
  for (const armoredKeys of blocks) {
    const read = await readPrivateKeys({ armoredKeys }).catch(() => undefined);
    if (read === undefined || read.length === 0) throw new Error('its PGP key cannot be read');
    keys.push(...read.map(pgpKey));
  }
  return keys;
}

function pgpKey(key: PrivateKey): PgpKey {
  if (!key.isDecrypted()) {
    throw new Error('its PGP key has a passphrase; export it without one');
  }
  return { key, ids: new Set(key.getKeyIDs().map((id) => id.toHex().toUpperCase())) };
}

/**
 * Opens a data key that is sealed for one of the keys.
 *
 * @returns undefined when it is for others.
 * @throws SopsProblem when it is no armored PGP message, or damaged.
 */
export async function openWithPgp(
  sealed: string,
  keys: readonly PgpKey[],
): Promise<Uint8Array | undefined> {
  if (keys.length === 0) return undefined;
  if (sealed.length > longestSealed) throw damaged();
  const { decrypt, readMessage } = await import('openpgp');
  try {
    const message = await readMessage({ armoredMessage: sealed, config: limits });
    const ids = message.getEncryptionKeyIDs();
    if (ids.length > mostRecipients) throw damaged();
    const wanted = keys.filter((key) =>
      ids.some((id) => /^0+$/.test(id.toHex()) || key.ids.has(id.toHex().toUpperCase())),
    );
    if (wanted.length === 0) return undefined;
    const decrypted: unknown = await decrypt({
      message,
      decryptionKeys: wanted.map(({ key }) => key),
      format: 'binary',
      config: limits,
    });
    if (!isBinary(decrypted)) throw damaged();
    return decrypted.data;
  } catch {
    throw damaged();
  }
}

/** The library's own types need packages that it does not bring. */
function isBinary(decrypted: unknown): decrypted is { readonly data: Uint8Array } {
  return (
    typeof decrypted === 'object' &&
    decrypted !== null &&
    'data' in decrypted &&
    decrypted.data instanceof Uint8Array
  );
}

function damaged(): SopsProblem {
  return new SopsProblem('data key', 'a PGP message is damaged or not sealed for its recipient');
}
