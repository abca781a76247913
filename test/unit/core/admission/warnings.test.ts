import { expect } from 'chai';
import { patchOfMap, pointer } from '../../../../src/core/admission/json-patch.ts';
import { bounded } from '../../../../src/core/admission/warnings.ts';

describe('the warnings of a review', () => {
  it('are sixteen at most, of which the last says how many more there are', () => {
    const warnings = Array.from({ length: 20 }, (_, index) => `risk ${index + 1}`);
    expect(bounded(warnings.slice(0, 16))).to.deep.equal(warnings.slice(0, 16));
    expect(bounded(warnings)).to.deep.equal([...warnings.slice(0, 15), 'and 5 more warnings']);
  });

  it('have 256 characters at most, and at least one', () => {
    expect(bounded(['', 'x'.repeat(256), 'x'.repeat(257)])).to.deep.equal([
      'x'.repeat(256),
      `${'x'.repeat(255)}…`,
    ]);
  });
});

describe('a JSON Patch', () => {
  it('names fields as RFC 6901 has it', () => {
    expect(pointer('metadata', 'annotations', 'a/b~c', 0)).to.equal(
      '/metadata/annotations/a~1b~0c/0',
    );
  });

  it('changes what is different in a map, and makes one where there is none', () => {
    expect(
      patchOfMap('/m', { a: '1', b: '2', c: '3' }, { a: '1', b: '9', c: undefined, d: '4' }),
    ).to.deep.equal([
      { op: 'replace', path: '/m/b', value: '9' },
      { op: 'remove', path: '/m/c' },
      { op: 'add', path: '/m/d', value: '4' },
    ]);
    expect(patchOfMap('/m', undefined, { a: '1', b: undefined })).to.deep.equal([
      { op: 'add', path: '/m', value: { a: '1' } },
    ]);
    expect(patchOfMap('/m', null, { a: undefined })).to.deep.equal([]);
  });
});
