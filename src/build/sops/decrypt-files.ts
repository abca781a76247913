import type { ArtifactFiles } from '../../core/objects/artifact-files.ts';
import type { DataKeyProvider } from './data-key.ts';
import { type DecryptedFile, decryptFile } from './decrypt-file.ts';
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

/** Files that wait for their keys beside each other. */
const mostAtOnce = 32;

/**
 * Decrypts those of the files that have SOPS metadata, several beside each other: a key service takes
 * its time.
 *
 * @param providers for keys that none of the private ones opens
 * @throws DecryptionError or DecryptionOutage for the first entry or file that fails, in their order.
 */
export async function decryptFiles(
  files: ArtifactFiles,
  keys: KeyEntries,
  providers: readonly DataKeyProvider[] = [],
): Promise<DecryptedFiles> {
  const ring = { ...(await readDecryptionKeys(keys)), providers };
  // Whoever has no patience ends the thread.
  const { signal } = new AbortController();
  const decrypted = new Map<string, Uint8Array>();
  const values = new Set<string>();
  const keep = (path: string, file: DecryptedFile | undefined): void => {
    if (file === undefined) return;
    decrypted.set(path, file.content);
    for (const value of file.values) {
      if (values.size < mostValues) values.add(value);
      const inside = decoded(value);
      if (inside !== undefined && values.size < mostValues) values.add(inside);
    }
  };
  await each(files, async (path, content) => {
    keep(path, await decryptFile(path, content, ring, signal));
  });
  return { files: decrypted, values: [...values] };
}

/** Does it for all files. @throws the failure of the first file that has one, whichever ends first. */
async function each(
  files: ArtifactFiles,
  work: (path: string, content: Uint8Array) => Promise<void>,
): Promise<void> {
  const failures = new Map<number, unknown>();
  const pending = [...files].entries();
  const go = async (): Promise<void> => {
    for (const [index, [path, content]] of pending) {
      if (failures.size > 0) return;
      await work(path, content).catch((error: unknown) => failures.set(index, error));
    }
  };
  await Promise.all(Array.from({ length: mostAtOnce }, go));
  const first = Math.min(...failures.keys());
  if (failures.size > 0) throw failures.get(first);
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
