import { expect } from 'chai';
import fc from 'fast-check';
import { canonicalJson } from '../../../src/core/canonical-json.ts';
import { digestOf, sha256Hex } from '../../../src/core/hash.ts';

describe('a digest', () => {
  it('of a text is its SHA-256 in hex', () => {
    expect(sha256Hex('abc')).to.equal(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    expect(sha256Hex('\u00e9')).to.equal(
      '4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c',
    );
  });

  it('of a value does not depend on the order of its keys', () => {
    expect(digestOf({ a: 1, b: { c: [1, { x: 1, y: 2 }] } })).to.equal(
      digestOf({ b: { c: [1, { y: 2, x: 1 }] }, a: 1 }),
    );
  });

  it('of a value depends on the order of its lists', () => {
    expect(digestOf([1, 2])).not.to.equal(digestOf([2, 1]));
  });
});

describe('canonical JSON', () => {
  const written: [value: unknown, text: string][] = [
    [null, 'null'],
    ['a"\n', '"a\\"\\n"'],
    [1.5, '1.5'],
    [{ b: true, a: null, '': 0 }, '{"":0,"a":null,"b":true}'],
    [{ a: undefined, b: [undefined] }, '{"b":[null]}'],
    [{ '\u20ac': 1, '\ud83d\ude00': 2, a: 3 }, '{"a":3,"\u20ac":1,"\ud83d\ude00":2}'],
  ];
  for (const [value, text] of written) {
    it(`writes ${text}`, () => {
      expect(canonicalJson(value)).to.equal(text);
    });
  }

  it('refuses what JSON cannot hold', () => {
    expect(() => canonicalJson(undefined)).to.throw(TypeError);
    expect(() => canonicalJson({ a: () => 1 })).to.throw(TypeError);
    expect(() => canonicalJson(1n)).to.throw(TypeError);
  });

  it('is JSON of the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.parse(canonicalJson(value))).to.deep.equal(JSON.parse(text));
      }),
    );
  });
});
