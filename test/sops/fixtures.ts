import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A file that the real SOPS 3.13.3 has encrypted, and what it decrypts it to. */
export interface Fixture {
  readonly name: string;
  readonly file: string;
  readonly same: 'Bytes' | 'Data';
  readonly encrypted: Uint8Array;
  readonly decrypted: Uint8Array;
}

interface Stored {
  readonly keys: Readonly<Record<string, readonly string[]>>;
  readonly files: readonly {
    readonly name: string;
    readonly file: string;
    readonly same: 'Bytes' | 'Data';
    readonly encrypted: readonly string[];
    readonly decrypted: string;
  }[];
}

const path = join(import.meta.dirname, '..', 'unit', 'build', 'sops', 'fixtures.json');
// Ours, and checked by its use.
const stored = JSON.parse(readFileSync(path, 'utf8')) as Stored;

export const fixtures: readonly Fixture[] = stored.files.map((file) => ({
  ...file,
  encrypted: Buffer.from(file.encrypted.join('\n')),
  decrypted: Buffer.from(file.decrypted, 'base64'),
}));

/** The private keys of the fixtures, as entries of a Secret. They open nothing else. */
export const fixtureKeys: ReadonlyMap<string, Uint8Array> = new Map(
  Object.entries(stored.keys).map(
    ([name, lines]) => [name, Buffer.from(lines.join('\n'))] as const,
  ),
);

export function fixture(name: string): Fixture {
  const found = fixtures.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no fixture ${name}`);
  return found;
}

/** The text of an encrypted fixture. */
export function sealedText(name: string): string {
  return Buffer.from(fixture(name).encrypted).toString('utf8');
}
