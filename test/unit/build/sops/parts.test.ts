import { expect } from 'chai';
import { readDecryptionKeys } from '../../../../src/build/sops/decryption-keys.ts';
import { unflatten } from '../../../../src/build/sops/flattened.ts';
import { formatFloat } from '../../../../src/build/sops/go-numbers.ts';
import { readIni } from '../../../../src/build/sops/ini-reader.ts';
import { goJsonString } from '../../../../src/build/sops/json-file.ts';
import { combineShares } from '../../../../src/build/sops/shamir.ts';
import { textValue } from '../../../../src/build/sops/tree.ts';
import { yamlScalar } from '../../../../src/build/sops/yaml-scalars.ts';
import { fixtureKeys } from '../../../sops/fixtures.ts';
import { failureOf } from '../artifact.ts';

describe('numbers as Go writes them', () => {
  const forms: Record<string, [number, string, string]> = {
    zero: [0, '0', '0'],
    'less than nothing': [-0, '-0', '-0'],
    'a fraction': [3.14159, '3.14159', '3.14159'],
    'a small one': [0.00001, '0.00001', '1e-05'],
    'a million': [1e6, '1000000', '1e+06'],
    'a large one': [1.5e300, `15${'0'.repeat(299)}`, '1.5e+300'],
    'more than a million': [1234567.5, '1234567.5', '1.2345675e+06'],
  };
  for (const [name, [value, plain, short]] of Object.entries(forms)) {
    it(name, () => {
      expect([formatFloat(value, 'f'), formatFloat(value, 'g')]).to.deep.equal([plain, short]);
    });
  }
});

describe('shares of a secret', () => {
  // From Vault's package: the secret `test` in three shares, of which two are enough.
  const shares = (...texts: string[]): Uint8Array[] =>
    texts.map((text) => Buffer.from(text, 'hex'));

  it('of a polynomial of degree one give its value at zero', () => {
    // f(x) = 7 + 5x over GF(2^8)
    expect([...combineShares(shares('0201', '0d02'))]).to.deep.equal([7]);
    expect([...combineShares(shares('0d02', '0803'))]).to.deep.equal([7]);
  });

  for (const [name, texts] of Object.entries({
    'one only': ['0201'],
    'the same twice': ['0201', '0201'],
    'of different lengths': ['0201', '0d0d02'],
    'without a coordinate': ['0200', '0d02'],
    empty: ['', ''],
  })) {
    it(`do not fit together: ${name}`, () => {
      expect(() => combineShares(shares(...texts))).to.throw('do not fit together');
    });
  }
});

describe('flattened metadata', () => {
  it('becomes nested again', () => {
    expect(
      unflatten([
        ['mac', 'x'],
        ['age__list_0__map_enc', 'a'],
        ['age__list_1__map_enc', 'b'],
        ['age__list_0__map_recipient', 'c'],
      ]),
    ).to.deep.equal({ mac: 'x', age: [{ enc: 'a', recipient: 'c' }, { enc: 'b' }] });
  });

  for (const [name, keys] of Object.entries({
    'there twice': ['a', 'a'],
    'a value and a group': ['a', 'a__map_b'],
    'a list with gaps': ['a__list_1'],
    'a list with names': ['a__list_0', 'a__map_b'],
    'an index that is none': ['a__list_x'],
    'too deep': ['a__map_b'.repeat(9)],
  })) {
    it(`is refused when it is ${name}`, () => {
      expect(() => unflatten(keys.map((key) => [key, 'x'] as const))).to.throw();
    });
  }
});

describe('an INI file', () => {
  it('is read as go-ini reads it', () => {
    const text = [
      'top = 1',
      '; about s',
      '[s] # behind',
      'a = "b"',
      "c : 'd' ; e",
      'f = g \\',
      '  h',
      '`x=y` = z',
      'm = """one',
      'two"""',
      'a = again',
      '- = auto',
    ];
    expect(readIni(text.join('\n'))).to.deep.equal([
      { name: 'DEFAULT', comment: '', keys: [{ name: 'top', value: '1', comment: '' }] },
      {
        name: 's',
        comment: '; about s\n# behind',
        keys: [
          { name: 'a', value: 'again', comment: '' },
          { name: 'c', value: 'd', comment: '; e' },
          { name: 'f', value: 'g h', comment: '' },
          { name: 'x=y', value: 'z', comment: '' },
          { name: 'm', value: 'one\ntwo', comment: '' },
          { name: '#1', value: 'auto', comment: '' },
        ],
      },
    ]);
  });
});

describe('a text in JSON', () => {
  it('is written as Go writes it', () => {
    expect(goJsonString('<a & b>\u2028"')).to.equal('"\\u003ca \\u0026 b\\u003e\\u2028\\""');
  });
});

describe('a text in YAML', () => {
  const block = { column: 4, after: 'Key' } as const;
  const texts: Record<string, string> = {
    plain: 'plain',
    'two words': 'two words',
    yes: '"yes"',
    '12': '"12"',
    '0x1f': '"0x1f"',
    '2024-01-01': '"2024-01-01"',
    '1:30': '"1:30"',
    '<<': '"<<"',
    null: '"null"',
    'a: b': "'a: b'",
    "it's": "it's",
    "'quoted'": "'''quoted'''",
    '- a': "'- a'",
    '-': "'-'",
    'a\tb': '"a\\tb"',
    'a\r\nb': '"a\\r\\nb"',
    'a\u2028b': '"a\\Lb"',
    '\ud83d\ude00': '"\\U0001F600"',
    'a\nb': '|-\n        a\n        b',
    'a\nb\n': '|\n        a\n        b',
    'a\n\n': '|+\n        a\n',
    ' a\nb': '|4-\n         a\n        b',
    'a \nb': '"a \\nb"',
  };
  for (const [text, written] of Object.entries(texts)) {
    it(`is written as SOPS writes it: ${JSON.stringify(text)}`, () => {
      expect(yamlScalar(textValue(text), block)).to.equal(written);
    });
  }

  it('says how far it is indented below a dash', () => {
    expect(yamlScalar(textValue(' a\nb'), { column: 4, after: 'Dash' })).to.equal(
      '|2-\n       a\n      b',
    );
  });

  it('stays on its line where it must', () => {
    const place = { column: undefined, after: 'Key' } as const;
    expect(yamlScalar(textValue('a\nb'), place)).to.equal('"a\\nb"');
    expect(yamlScalar(textValue('a, b'), place)).to.equal('"a, b"');
  });

  it('is binary when it is no UTF-8', () => {
    const value = { kind: 'Text', bytes: Uint8Array.of(0xff, 0xfe) } as const;
    expect(yamlScalar(value, block)).to.equal('!!binary //4=');
  });
});

describe('the keys of a Secret', () => {
  it('are those of the entries that end in .agekey or .asc', async () => {
    const { age, pgp } = await readDecryptionKeys(fixtureKeys);
    expect([age.length, pgp.length]).to.deep.equal([3, 2]);
  });

  for (const [entry, content, problem] of [
    ['a.agekey', '', 'it has no key'],
    ['a.agekey', '# nothing\n', 'it has no key'],
    ['a.agekey', 'age1publickey', 'key 1 is no age key'],
    ['a.agekey', `AGE-SECRET-KEY-1${'Q'.repeat(58)}`, 'key 1 is damaged'],
    ['a.agekey', 'AGE-PLUGIN-YUBIKEY-1QQ', 'key 1 is no age key'],
    ['a.agekey', Uint8Array.of(0xff), 'it is no UTF-8 text'],
    ['a.asc', 'hunter2', 'it has no armored private PGP key'],
    [
      'a.asc',
      '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nhunter2\n-----END PGP PRIVATE KEY BLOCK-----',
      'its PGP key cannot be read',
    ],
  ] as const) {
    it(`are refused by the name of the entry: ${problem}`, async () => {
      const failure = await failureOf(readDecryptionKeys(new Map([[entry, Buffer.from(content)]])));
      expect(failure.message).to.include(`the entry ${entry} of the decryption Secret`);
      expect(failure.message).to.include(problem);
      expect(failure.message).not.to.match(/hunter2|publickey|QQQ/);
    });
  }

  it('must have no passphrase', async () => {
    const { encryptKey, readPrivateKey } = await import('openpgp');
    const armoredKey = Buffer.from(fixtureKeys.get('curve.asc') ?? []).toString();
    const locked = await encryptKey({
      privateKey: await readPrivateKey({ armoredKey }),
      passphrase: 'hunter2',
    });
    const failure = await failureOf(
      readDecryptionKeys(new Map([['a.asc', Buffer.from(locked.armor())]])),
    );
    expect(failure.message).to.include('has a passphrase; export it without one');
  });

  it('are a hundred at most', async () => {
    const one = Buffer.from(fixtureKeys.get('team.agekey') ?? []).toString();
    const many = new Map([['a.agekey', Buffer.from(one.repeat(60))]]);
    const failure = await failureOf(readDecryptionKeys(many));
    expect(failure.message).to.include('it has more than 100 keys');
    const apart = new Map(
      ['a.agekey', 'b.agekey'].map((name) => [name, Buffer.from(one.repeat(40))] as const),
    );
    const together = await failureOf(readDecryptionKeys(apart));
    expect(together.message).to.include('there are more than 100 keys');
  });
});
