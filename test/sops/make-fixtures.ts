/** Writes the fixtures of test/unit/build/sops anew: `node --import tsx test/sops/make-fixtures.ts`. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sopsCases } from './cases.ts';
import { generateTestKeys, keyEntries } from './keys.ts';
import { SopsOracle } from './oracle.ts';

/** One of each kind; the names of cases. */
const chosen = [
  'yaml: a Secret',
  'yaml: all types',
  'yaml: nesting',
  'yaml: comments',
  'yaml: several documents',
  'yaml: encrypted regex',
  'yaml: encrypted suffix, MAC of what is encrypted',
  'yaml: comments that ask',
  'yaml: comments that forbid',
  'yaml: PostQuantum',
  'yaml: Pgp',
  'yaml: PgpOfCurve25519',
  'yaml: TwoOfThreeGroups',
  'json: all types',
  'dotenv: all',
  'ini: all',
  'binary: bytes',
];

const keys = await generateTestKeys();
const oracle = await SopsOracle.start(keys);
const files: Record<string, unknown>[] = [];
for (const name of chosen) {
  const found = sopsCases.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no case ${name}`);
  const encrypted = await oracle.encrypt(found);
  const decrypted = Buffer.from(await oracle.decrypt(found, encrypted));
  files.push({
    name,
    file: found.file,
    same: found.same,
    encrypted: Buffer.from(encrypted).toString('utf8').split('\n'),
    decrypted: decrypted.toString('base64'),
  });
}
await oracle.stop();
const texts = [...keyEntries(keys)].map(
  ([name, content]) => [name, Buffer.from(content).toString('utf8').split('\n')] as const,
);
const fixtures = { keys: Object.fromEntries(texts), files };
const target = join(import.meta.dirname, '..', 'unit', 'build', 'sops', 'fixtures.json');
await writeFile(target, `${JSON.stringify(fixtures, undefined, 2)}\n`);
