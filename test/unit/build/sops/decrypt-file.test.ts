import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';
import { type DecryptedFile, decryptFile } from '../../../../src/build/sops/decrypt-file.ts';
import { readDecryptionKeys } from '../../../../src/build/sops/decryption-keys.ts';
import { fixtureKeys, fixtures, sealedText } from '../../../sops/fixtures.ts';

const { signal } = new AbortController();

async function decrypted(
  file: string,
  text: string | Uint8Array,
): Promise<DecryptedFile | undefined> {
  const ring = { ...(await readDecryptionKeys(fixtureKeys)), providers: [] };
  return await decryptFile(file, Buffer.from(text), ring, signal);
}

function textOf(file: DecryptedFile | undefined): string {
  return Buffer.from(file?.content ?? []).toString('utf8');
}

function dataOf(text: string): unknown[] {
  return parseAllDocuments(text, { intAsBigInt: true }).map(
    (document) => document.toJS() as unknown,
  );
}

describe('a file that SOPS has encrypted', () => {
  for (const { name, file, same, encrypted, decrypted: expected } of fixtures) {
    it(`is decrypted as SOPS does: ${name}`, async () => {
      const ours = textOf(await decrypted(file, encrypted));
      const theirs = Buffer.from(expected).toString('utf8');
      if (same === 'Bytes') expect(ours).to.equal(theirs);
      else expect(dataOf(ours)).to.deep.equal(dataOf(theirs));
    });
  }

  it('tells what was sealed in it, for messages to leave out', async () => {
    const file = await decrypted('a.yaml', sealedText('yaml: encrypted regex'));
    expect(file?.values).to.deep.equal(['admin', 'correct horse battery staple', 'c2VjcmV0']);
  });

  it('keeps the style that people have given it', async () => {
    const sealed = sealedText('yaml: encrypted regex')
      .replace('kind: Secret', 'kind:   "Secret" # of ours')
      .replaceAll(/(password: )(ENC\[.*\])/g, '$1"$2" # quoted');
    expect(textOf(await decrypted('a.yaml', sealed))).to.equal(`apiVersion: v1
kind:   "Secret" # of ours
metadata:
    name: database
    labels:
        "1": one
        app: web
stringData:
    user: admin
    password: correct horse battery staple # quoted
data:
    token: c2VjcmV0
`);
  });

  it('may be YAML in the form of JSON', async () => {
    const json = sealedText('json: all types');
    const [ours] = dataOf(textOf(await decrypted('a.yaml', json.replaceAll('\t', ' '))));
    const [theirs] = dataOf(textOf(await decrypted('a.json', json)));
    expect(ours).to.deep.equal(theirs);
  });

  it('may have lines that end in another way', async () => {
    const sealed = sealedText('yaml: a Secret').replaceAll('\n', '\r\n');
    const [data] = dataOf(textOf(await decrypted('a.yaml', sealed)));
    expect(data).to.have.nested.property('stringData.password', 'correct horse battery staple');
  });

  it('is dotenv under any name, as generators take it', async () => {
    const file = await decrypted('settings.properties', sealedText('dotenv: all'));
    expect(textOf(file)).to.include('NAME=value\n');
  });
});

describe('a file that SOPS has not encrypted', () => {
  const plain: Record<string, string> = {
    'a.yaml': 'apiVersion: v1\nkind: ConfigMap # sops is not used\nmetadata: {name: sops}\n',
    'values.yaml': 'sops: {enabled: true}\n',
    'broken.yaml': 'sops: [\n',
    'a.json': '{"sops": "no"}',
    'b.json': 'sops is not JSON',
    'a.env': 'sops_home=/tmp\n',
    'a.ini': '[sops]\nhome = /tmp\n',
    'a.md': 'sops',
    'a.txt': '{ sops',
  };
  for (const [file, text] of Object.entries(plain)) {
    it(`passes as it is: ${file}`, async () => {
      expect(await decrypted(file, text)).to.equal(undefined);
    });
  }

  it('passes as it is when it is no text', async () => {
    const bytes = Buffer.concat([Buffer.from([0xff, 0xfe, 0]), Buffer.from('sops: {mac: x}')]);
    expect(await decrypted('a.yaml', bytes)).to.equal(undefined);
  });
});
