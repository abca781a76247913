import type { ArtifactFiles } from '../../core/objects/artifact-files.ts';
import { decryptFile } from './decrypt-file.ts';
import { readDecryptionKeys } from './decryption-keys.ts';
import type { KeyEntries } from './key-entries.ts';

export interface DecryptedFiles {
  /** Those that were sealed, without their seals. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What was sealed in them, for messages to leave out. */
  readonly values: readonly string[];
}

/** More is of no use: a message that could quote any of them is withheld altogether (`redact`). */
const mostValues = 10_001;

/**
 * Decrypts those of the files that have SOPS metadata, one after the other.
 *
 * @throws DecryptionError for the first entry or file that fails.
 */
export async function decryptFiles(
  files: ArtifactFiles,
  keys: KeyEntries,
): Promise<DecryptedFiles> {
  const ring = { ...(await readDecryptionKeys(keys)), providers: [] };
  // Whoever has no patience ends the thread.
  const { signal } = new AbortController();
  const decrypted = new Map<string, Uint8Array>();
  const values = new Set<string>();
  for (const [path, content] of files) {
    const file = await decryptFile(path, content, ring, signal);
    if (file === undefined) continue;
    decrypted.set(path, file.content);
    for (const value of file.values) {
      if (values.size < mostValues) values.add(value);
      const inside = decoded(value);
      if (inside !== undefined && values.size < mostValues) values.add(inside);
    }
  }
  return { files: decrypted, values: [...values] };
}

/** The text in a value of a Secret's `data`. */
function decoded(value: string): string | undefined {
  if (value.length % 4 !== 0 || !/^[A-Za-z0-9+/]{4,}={0,2}$/.test(value)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'base64'));
  } catch {
    return undefined;
  }
}
