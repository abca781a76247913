import { generateX25519Identity } from 'age-encryption';
import { expect } from 'chai';
import { decryptFile } from '../../src/build/sops/decrypt-file.ts';
import { DecryptionError } from '../../src/build/sops/decryption-error.ts';
import { readDecryptionKeys } from '../../src/build/sops/decryption-keys.ts';
import { fixtureKeys, fixtures, sealedText } from '../sops/fixtures.ts';

const secret = sealedText('yaml: a Secret');
const partly = sealedText('yaml: encrypted regex');
const suffixed = sealedText('yaml: encrypted suffix, MAC of what is encrypted');

/** Whatever was sealed in the fixtures, and the keys. */
const values = ['correct horse', 'c2VjcmV0', 'AGE-SECRET-KEY', 'PRIVATE KEY'];

async function refusal(
  file: string,
  text: string,
  keys: ReadonlyMap<string, Uint8Array> = fixtureKeys,
): Promise<{ readonly message: string; readonly detail: string }> {
  const ring = { ...(await readDecryptionKeys(keys)), providers: [] };
  const outcome = await decryptFile(
    file,
    Buffer.from(text),
    ring,
    new AbortController().signal,
  ).then(
    (decrypted) => (decrypted === undefined ? 'was passed as it is' : 'was decrypted'),
    (error: unknown) => error,
  );
  if (!(outcome instanceof DecryptionError)) throw new Error(`the file: ${String(outcome)}`);
  const { message, detail = '' } = outcome;
  for (const value of values) expect(`${message} ${detail}`).not.to.include(value);
  return { message, detail };
}

/** A PGP message for a key, of 32 MiB that take up 32 KiB. */
async function compressedFor(armoredKey: string): Promise<string> {
  const { createMessage, encrypt, enums, readPrivateKey } = await import('openpgp');
  const message = await createMessage({ binary: new Uint8Array(32 * 1024 * 1024) });
  const key = await readPrivateKey({ armoredKey });
  const preferredCompressionAlgorithm = enums.compression.zlib;
  const config = { preferredCompressionAlgorithm, aeadProtect: false };
  const sealed: unknown = await encrypt({ message, encryptionKeys: key.toPublic(), config });
  if (typeof sealed !== 'string') throw new Error('the message is not armored');
  return sealed.trim();
}

/** Two keys of a text, with each other's values. */
function swapped(text: string, one: string, other: string): string {
  const valueOf = (key: string): string =>
    new RegExp(`\\b${key}: (ENC\\[.*\\])`).exec(text)?.[1] ?? '';
  const [first, second] = [valueOf(one), valueOf(other)];
  return text.replace(first, 'HELD').replace(second, first).replace('HELD', second);
}

/** Attack 33: each file was made by SOPS, and then changed by somebody without its key. */
const attacks: Record<string, { file?: string; text: string; step: string }> = {
  'the MAC is removed': { text: secret.replace(/^ +mac: .*\n/m, ''), step: 'MAC' },
  'the MAC is empty': { text: secret.replace(/mac: .*/, 'mac: ""'), step: 'MAC' },
  'the MAC is no sealed value': { text: secret.replace(/mac: .*/, 'mac: ABCDEF'), step: 'MAC' },
  'the MAC is that of another file': {
    text: secret.replace(/mac: .*/, /mac: .*/.exec(partly)?.[0] ?? ''),
    step: 'MAC',
  },
  'the MAC is a sealed value of the file': {
    text: secret.replace(/mac: .*/, `mac: ${/ENC\[.*\]/.exec(secret)?.[0] ?? ''}`),
    step: 'MAC',
  },
  'the time of the MAC is changed': {
    text: secret.replace(/lastmodified: ".{4}/, 'lastmodified: "2020'),
    step: 'MAC',
  },
  'two sealed values are swapped': { text: swapped(secret, 'user', 'password'), step: 'values' },
  'a sealed value is put under another key': {
    text: secret.replace('password: ENC', 'passwort: ENC'),
    step: 'values',
  },
  'a sealed value is replaced by plain text': {
    text: secret.replace(/password: .*/, 'password: hunter2'),
    step: 'values',
  },
  'a sealed value is replaced by a number': {
    text: secret.replace(/password: .*/, 'password: 12345'),
    step: 'values',
  },
  'a sealed value is emptied': {
    text: secret.replace(/password: .*/, 'password: ""'),
    step: 'MAC',
  },
  'a sealed value is removed': { text: secret.replace(/ +password: .*\n/, ''), step: 'MAC' },
  'a sealed value is cut off': { text: secret.replace(/data:..../, 'data:'), step: 'values' },
  'the seal of a value is cut off': {
    text: secret.replace(/tag:[^,]*/, 'tag:AAAA'),
    step: 'values',
  },
  'the type of a value is another one': {
    text: secret.replace(/(password: .*)type:str/, '$1type:int'),
    step: 'values',
  },
  'a value in the clear is changed': {
    text: partly.replace('name: database', 'name: other'),
    step: 'MAC',
  },
  'values in the clear change places': {
    text: partly.replace('apiVersion: v1\nkind: Secret', 'kind: Secret\napiVersion: v1'),
    step: 'MAC',
  },
  'a value in the clear is added': { text: `added: value\n${partly}`, step: 'MAC' },
  'a document is added': { text: `${secret}---\na_unencrypted: b\n`, step: 'MAC' },
  'the rule is widened to what is in the clear': {
    text: partly.replace(/encrypted_regex: .*/, 'encrypted_regex: ^kind$'),
    step: 'values',
  },
  'the rule is removed': { text: partly.replace(/ +encrypted_regex: .*\n/, ''), step: 'values' },
  'there are two rules': {
    text: partly.replace('    encrypted_regex', '    encrypted_suffix: x\n    encrypted_regex'),
    step: 'metadata',
  },
  'the rule is no regular expression': {
    text: partly.replace(/encrypted_regex: .*/, 'encrypted_regex: "("'),
    step: 'metadata',
  },
  'the MAC is said to cover less': {
    text: partly.replace('    lastmodified', '    mac_only_encrypted: true\n    lastmodified'),
    step: 'MAC',
  },
  'the MAC is said to cover more': {
    text: suffixed.replace(/ +mac_only_encrypted: true\n/, ''),
    step: 'MAC',
  },
  ...Object.fromEntries(
    Object.entries({ CR: '\r', NEL: '\u0085', LS: '\u2028', PS: '\u2029' }).flatMap(
      ([name, end]) => [
        [
          `a comment goes on behind a line break of YAML 1.1: ${name}`,
          { text: `# harmless${end}type: Opaque\n${partly}`, step: 'format' },
        ],
        [
          `a value in the clear does: ${name}`,
          { text: `a: b${end}type:${end} Opaque\n${suffixed}`, step: 'format' },
        ],
      ],
    ),
  ),
  'a sealed value is told in the clear by an alias': {
    text: suffixed
      .replace('password: ENC', 'password: &password ENC')
      .replace('data:\n    token:', 'data:\n    copy: *password\n    token:'),
    step: 'values',
  },
  'a key is there twice': { text: `apiVersion: v2\n${partly}`, step: 'format' },
  'the metadata is there twice': {
    text: `${secret}${/^sops:[^]*/m.exec(secret)?.[0] ?? ''}`,
    step: 'format',
  },
  'the metadata is in the second document only': {
    text: `a: b\n---\n${secret}`,
    step: 'metadata',
  },
  'the recipients are removed': {
    text: secret.replace(/^ +age:\n[^]*?(?=^ {4}last)/m, ''),
    step: 'metadata',
  },
  'the sealed data key is damaged': { text: secret.replace(/YWdl/, 'YWdm'), step: 'data key' },
  'the sealed data key is no age file': {
    text: secret.replace(/enc: \|\n[^]*?END AGE ENCRYPTED FILE-----/, 'enc: none'),
    step: 'data key',
  },
  'the threshold is lowered': {
    text: sealedText('yaml: TwoOfThreeGroups').replace(
      'shamir_threshold: 2',
      'shamir_threshold: 1',
    ),
    step: 'data key',
  },
  'the file is cut off within the metadata': { text: secret.slice(0, -300), step: 'MAC' },
  'a JSON file is cut off': {
    file: 'a.json',
    text: sealedText('json: all types').slice(0, -20),
    step: 'format',
  },
  'a dotenv file has a line more': {
    file: 'a.env',
    text: `ADDED_unencrypted=1\n${sealedText('dotenv: all')}`,
    step: 'MAC',
  },
  'an INI file has a key more': {
    file: 'a.ini',
    text: sealedText('ini: all').replace('[second]', '[second]\nb_unencrypted = 1'),
    step: 'MAC',
  },
  'a binary file is cut short': {
    file: 'a.bin',
    text: sealedText('binary: bytes').replace(/data:....(.*)/, 'data:$1'),
    step: 'values',
  },
};

describe('attack 33: a SOPS file that was tampered with (the MAC is verified, part A 10.1)', () => {
  for (const [name, { file = 'secrets/a.yaml', text, step }] of Object.entries(attacks)) {
    it(`is refused when ${name}`, async () => {
      const { message } = await refusal(file, text);
      expect(message).to.equal(`decryption failed: ${step} of ${file}`);
    });
  }

  it('is refused when its only recipients are others, who are named in the log only', async () => {
    const keys = new Map([['other.agekey', Buffer.from(await generateX25519Identity())]]);
    const { message, detail } = await refusal('a.yaml', secret, keys);
    expect(message).to.equal('decryption failed: data key of a.yaml');
    expect(detail).to.match(/^no key of ours opens it; its recipients are age age1[a-z0-9]+$/);
  });

  it('is refused without any key', async () => {
    const { message } = await refusal('a.yaml', sealedText('yaml: Pgp'), new Map());
    expect(message).to.equal('decryption failed: data key of a.yaml');
  });

  it('has the end of a long path only', async () => {
    const { message } = await refusal(`${'a/'.repeat(1000)}b.yaml`, secret.replace(/mac: .*/, ''));
    expect(message.length).to.be.below(260);
    expect(message).to.match(/b\.yaml$/);
  });
});

describe('attack 56: a SOPS file that is made to be slow (everything in it is bounded, part A 10.1)', () => {
  const entry = `        - recipient: age1other\n          enc: |\n${'            AAAA\n'.repeat(20)}`;
  const slow: Record<string, string> = {
    'thousands of recipients': secret.replace('    age:\n', `    age:\n${entry.repeat(5000)}`),
    'thousands of groups': `a: b\nsops:\n    mac: x\n    lastmodified: "2020-01-01T00:00:00Z"\n    key_groups:\n${'        - age:\n            - recipient: age1other\n              enc: x\n'.repeat(5000)}`,
    'nesting in its values': `${'a: {'.repeat(2000)}${'}'.repeat(2000)}\n${secret}`,
    'nesting in sequences': `a: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n${secret}`,
    'nesting in its metadata': `a: b\nsops: {mac: 'ENC[AES256_GCM,', age: ${'{a: '.repeat(3000)}x${'}'.repeat(3000)}}\n`,
    'a laugh of a billion aliases': `a: &a [b, b, b, b, b, b, b, b, b]\n${'bcdefghij'
      .split('')
      .map(
        (key, at) =>
          `${key}: &${key} [${Array(9)
            .fill(`*${'abcdefghij'[at] ?? ''}`)
            .join(', ')}]\n`,
      )
      .join('')}${secret}`,
    'an alias of itself': `a: &a [*a]\n${secret}`,
    'a regular expression': partly
      .replace(/encrypted_regex: .*/, 'encrypted_regex: ^(a+)+$')
      .replace('app: web', `${'a'.repeat(1000)}b: web`),
  };
  for (const [name, text] of Object.entries(slow)) {
    it(`is refused soon: ${name}`, async () => {
      const begun = performance.now();
      await refusal('a.yaml', text);
      expect(performance.now() - begun).to.be.below(5000);
    });
  }

  it('is refused soon: nesting in JSON', async () => {
    const text = `{"a": ${'['.repeat(100_000)}, "sops": {"mac": "ENC[AES256_GCM,"}}`;
    expect((await refusal('a.json', text)).message).to.equal('decryption failed: format of a.json');
  });

  it('is refused soon: a data key that is compressed a thousandfold', async () => {
    const pgp = sealedText('yaml: Pgp');
    const bomb = await compressedFor(Buffer.from(fixtureKeys.get('rsa.asc') ?? []).toString());
    const block = bomb.replaceAll(/^/gm, '            ');
    const text = pgp.replace(/ +-----BEGIN PGP MESSAGE[^]*END PGP MESSAGE-----/, block);
    const { detail } = await refusal('a.yaml', text);
    expect(detail).to.match(/a PGP message is damaged/);
  });

  it('is refused when a text in it is too long for a reader of JSON', async () => {
    const text = `{"a": "${'x'.repeat(15_500_000)}", "sops": {"mac": "ENC[AES256_GCM,"}}`;
    expect((await refusal('a.json', text)).message).to.equal('decryption failed: format of a.json');
  });

  it('is refused when it is too large', async () => {
    const text = `${secret}#${'x'.repeat(16 * 1024 * 1024)}\n`;
    expect((await refusal('a.yaml', text)).message).to.equal('decryption failed: size of a.yaml');
  });

  it('has names such as __proto__ without harm', async () => {
    const text = secret.replace('sops:\n', 'sops:\n    __proto__: {mac: x}\n    constructor: y\n');
    const ring = { ...(await readDecryptionKeys(fixtureKeys)), providers: [] };
    const file = await decryptFile('a.yaml', Buffer.from(text), ring, new AbortController().signal);
    expect(file).not.to.equal(undefined);
    expect(({} as Record<string, unknown>)['mac']).to.equal(undefined);
  });
});

describe('a fixture of these attacks', () => {
  it('is there', () => {
    expect(fixtures.length).to.be.at.least(15);
  });
});
