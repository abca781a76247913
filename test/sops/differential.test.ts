import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';
import { type DecryptedFile, decryptFile } from '../../src/build/sops/decrypt-file.ts';
import { readDecryptionKeys } from '../../src/build/sops/decryption-keys.ts';
import { type SopsCase, sopsCases } from './cases.ts';
import { generateTestKeys, keyEntries, type TestKeys } from './keys.ts';
import { SopsOracle } from './oracle.ts';

/** Each file is encrypted by the real SOPS, and decrypted by it and by us. */
describe('decryption, compared with the real SOPS', () => {
  let oracle: SopsOracle | undefined;
  let keys: TestKeys;
  let bytes = 0;
  const times: number[] = [];

  before(async function () {
    // The first build of SOPS takes minutes.
    this.timeout(1_800_000);
    keys = await generateTestKeys();
    oracle = await SopsOracle.start(keys);
  });

  after(async () => {
    await oracle?.stop();
    const sorted = times.toSorted((one, other) => one - other);
    process.stderr.write(
      `      ${times.length} files, ${bytes} equal byte by byte; ours: first ${format(times[0])}, ` +
        `median ${format(sorted[Math.floor(sorted.length / 2)])}, slowest ${format(sorted.at(-1))}\n`,
    );
  });

  async function ours(file: string, encrypted: Uint8Array): Promise<DecryptedFile | undefined> {
    const ring = { ...(await readDecryptionKeys(keyEntries(keys))), providers: [] };
    const begun = performance.now();
    const decrypted = await decryptFile(file, encrypted, ring, new AbortController().signal);
    times.push(performance.now() - begun);
    return decrypted;
  }

  async function compare(sopsCase: SopsCase): Promise<void> {
    if (oracle === undefined) throw new Error('there is no SOPS');
    const encrypted = await oracle.encrypt(sopsCase);
    const expected = Buffer.from(await oracle.decrypt(sopsCase, encrypted));
    const decrypted = await ours(sopsCase.file, encrypted);
    const content = Buffer.from(decrypted?.content ?? []);
    if (content.equals(expected)) {
      bytes += 1;
    } else if (sopsCase.same === 'Bytes') {
      expect(content.toString()).to.equal(expected.toString());
    } else if (!isDeepStrictEqual(dataOf(content), dataOf(expected))) {
      expect(dataOf(content)).to.deep.equal(dataOf(expected));
    }
    // What was changed is noticed; comments are no part of the MAC, and never were.
    const changed = Buffer.from(
      Buffer.from(encrypted)
        .toString()
        .replace(
          /data:(.)([^\]]*type:(?!comment))/,
          (_, first: string, rest: string) => `data:${first === 'A' ? 'B' : 'A'}${rest}`,
        ),
    );
    if (!changed.equals(Buffer.from(encrypted))) {
      const refused = await ours(sopsCase.file, changed).then(
        () => false,
        () => true,
      );
      expect(refused).to.equal(true);
    }
  }

  for (const sopsCase of sopsCases) {
    it(sopsCase.name, async () => await compare(sopsCase));
  }

  it('has at least 60 files', () => {
    expect(sopsCases.length).to.be.at.least(60);
  });
});

function dataOf(content: Buffer): unknown[] {
  return parseAllDocuments(content.toString(), { intAsBigInt: true, version: '1.1' }).map(
    (document) => document.toJS() as unknown,
  );
}

function format(milliseconds: number | undefined): string {
  return `${(milliseconds ?? 0).toFixed(1)} ms`;
}
