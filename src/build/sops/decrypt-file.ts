import { timingSafeEqual } from 'node:crypto';
import { open } from './cipher.ts';
import { type KeyRing, openDataKey } from './data-key.ts';
import { fileNotDecrypted, SopsProblem } from './decryption-error.ts';
import { mayBeSealed, readSealedFile } from './formats.ts';
import { readMetadata, type SopsMetadata } from './metadata.ts';
import { type Opened, type PlainValue, type SealedFile, utf8 } from './tree.ts';
import { openTree } from './walk.ts';

export interface DecryptedFile {
  readonly content: Uint8Array;
  /** The texts that were sealed in it. */
  readonly values: readonly string[];
}

/** Most bytes of a file that is decrypted; SOPS files hold what people write by hand. */
const largestFile = 16 * 1024 * 1024;

/**
 * Decrypts a file that SOPS has sealed, by its name and its metadata, and verifies its MAC.
 *
 * @returns undefined when it has no SOPS metadata: it is as it should be then.
 * @throws DecryptionError, DecryptionOutage where a key service did not answer, the signal's reason
 * when aborted.
 */
export async function decryptFile(
  path: string,
  content: Uint8Array,
  ring: KeyRing,
  signal: AbortSignal,
): Promise<DecryptedFile | undefined> {
  if (!mayBeSealed(content)) return undefined;
  try {
    if (content.byteLength > largestFile) {
      throw new SopsProblem('size', `it has more than ${largestFile} bytes`);
    }
    const file = readSealedFile(path, content);
    return file === undefined ? undefined : await opened(file, ring, signal);
  } catch (error) {
    if (error instanceof SopsProblem) throw fileNotDecrypted(path, error);
    throw error;
  }
}

async function opened(
  file: SealedFile,
  ring: KeyRing,
  signal: AbortSignal,
): Promise<DecryptedFile> {
  const metadata = readMetadata(file.metadata);
  // Before anything costs time.
  if (metadata.mac === '') throw new SopsProblem('MAC', 'it is missing');
  const key = await openDataKey(metadata, ring, signal);
  const { rule, macOnlyEncrypted } = metadata;
  const walked = openTree(file.branches, { key, rule, macOnlyEncrypted });
  verifyMac(metadata, key, walked.mac);
  return { content: file.write(walked.opened), values: textsOf(walked.opened) };
}

function verifyMac({ mac, lastModified }: SopsMetadata, key: Uint8Array, computed: string): void {
  const expected = Buffer.from(computed, 'utf8');
  const said = openMac(mac, key, lastModified);
  if (said.byteLength === expected.byteLength && timingSafeEqual(said, expected)) return;
  throw new SopsProblem('MAC', 'it does not fit the values: some were changed, moved or removed');
}

function openMac(mac: string, key: Uint8Array, lastModified: string): Uint8Array {
  try {
    const value = open(mac, key, lastModified);
    if (value.kind === 'Text') return value.bytes;
  } catch (error) {
    if (!(error instanceof SopsProblem)) throw error;
  }
  throw new SopsProblem('MAC', 'it was changed, or lastmodified was');
}

function textsOf(opened: Opened): string[] {
  const texts = new Set<string>();
  for (const value of opened.values()) {
    if (value.kind !== 'Comment') texts.add(textOf(value));
  }
  return [...texts];
}

function textOf(value: Exclude<PlainValue, { kind: 'Comment' }>): string {
  switch (value.kind) {
    case 'Text':
      return utf8(value.bytes);
    case 'Time':
      return value.text;
    case 'Integer':
    case 'Float':
    case 'Boolean':
      return String(value.value);
  }
}
