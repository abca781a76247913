import { createHash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { substitutionFingerprint } from '../../../../src/core/objects/substitution.ts';

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

describe('the fingerprint of variables', () => {
  it('is empty when there are none', () => {
    expect(substitutionFingerprint(new Map())).to.equal('');
  });

  it('is the SHA-256 of lengths, names and values', () => {
    expect(substitutionFingerprint(new Map([['a', 'A']]))).to.equal(
      'b3dff2570307fd2c1fa11a682e772ecc37813aeab5c37d4e96114bba2b29ad90',
    );
    expect(substitutionFingerprint(new Map([['a', 'A']]))).to.equal(hashOf('1:a=1:A\n'));
  });

  it('sorts by name and counts bytes', () => {
    const variables = new Map([
      ['zone', 'süd'],
      ['größe', ''],
      ['a', 'one\ntwo'],
    ]);
    expect(substitutionFingerprint(variables)).to.equal(
      hashOf('1:a=7:one\ntwo\n7:größe=0:\n4:zone=4:süd\n'),
    );
  });

  it('sorts as bytes do, where UTF-16 would sort otherwise', () => {
    const variables = new Map([
      ['𝐚', '1'],
      ['ﬀ', '2'],
    ]);
    expect(substitutionFingerprint(variables)).to.equal(hashOf('3:ﬀ=1:2\n4:𝐚=1:1\n'));
  });

  it('does not depend on the order of the variables', () => {
    const entries = fc.uniqueArray(fc.tuple(fc.string(), fc.string()), {
      selector: ([key]) => key,
      minLength: 1,
    });
    fc.assert(
      fc.property(entries, (some) => {
        expect(substitutionFingerprint(new Map(some.toReversed()))).to.equal(
          substitutionFingerprint(new Map(some)),
        );
      }),
    );
  });

  it('is different for different variables', () => {
    // Few and awkward characters, so that what is joined could be split in another way.
    const part = fc.string({ unit: fc.constantFrom('1', ':', '=', '\n', 'a'), maxLength: 4 });
    const variables = fc.dictionary(part, part, { maxKeys: 3 });
    fc.assert(
      fc.property(variables, variables, (one, other) => {
        const [left, right] = [new Map(Object.entries(one)), new Map(Object.entries(other))];
        const same =
          left.size === right.size && [...left].every(([key, value]) => right.get(key) === value);
        expect(substitutionFingerprint(left) === substitutionFingerprint(right)).to.equal(same);
      }),
      { numRuns: 5000 },
    );
  });
});
