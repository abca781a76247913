import { openWithAge } from '../../src/build/sops/age-keys.ts';
import { readDecryptionKeys } from '../../src/build/sops/decryption-keys.ts';
import { fixtureKeys, sealedText } from '../sops/fixtures.ts';

const name = 'yaml: a Secret';

/** Ends the section of recipients in the metadata of a YAML file. */
const recipients = /^ {4}age:\n[^]*?(?=^ {4}lastmodified)/m;

/** A file that the real SOPS has encrypted, whose data key is sealed by somebody else now. */
export function sealedBy(section: string): string {
  return sealedText(name).replace(recipients, `${section.trimEnd()}\n`);
}

/** The data key of that file, 32 bytes. */
export async function dataKeyOfFile(): Promise<Uint8Array> {
  const text = sealedText(name);
  const enc = /enc: \|\n((?: {12}.*\n)+)/.exec(text)?.[1]?.replace(/^ +/gm, '') ?? '';
  const recipient = /recipient: (age1\S+)/.exec(text)?.[1];
  const { age } = await readDecryptionKeys(fixtureKeys);
  const identity = age.find((each) => each.recipient === recipient);
  const key = identity && (await openWithAge(enc, identity));
  if (key === undefined) throw new Error('the fixture is not for a key of the tests');
  return key;
}

/** An entry of one recipient, as SOPS writes it into YAML. */
export function entry(kind: string, fields: Readonly<Record<string, unknown>>): string {
  const [first = '', ...others] = Object.entries(fields).map(
    ([field, value]) => `${field}: ${JSON.stringify(value)}`,
  );
  return [
    `    ${kind}:`,
    `        - ${first}`,
    ...others.map((line) => `          ${line}`),
    '',
  ].join('\n');
}
