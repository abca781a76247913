import { expect } from 'chai';
import fc from 'fast-check';
import { contains } from '../../../../src/core/drift/contains.ts';

describe('whether a live object has all that is rendered', () => {
  const live = { metadata: { labels: { a: '1', b: '2' } }, spec: { list: [1, 2], own: true } };

  for (const [name, rendered, expected] of [
    ['a part of it', { metadata: { labels: { a: '1' } } }, true],
    ['a part with another value', { metadata: { labels: { a: '2' } } }, false],
    ['a member that is not there', { spec: { missing: 0 } }, false],
    ['a whole list', { spec: { list: [1, 2] } }, true],
    ['a part of a list', { spec: { list: [1] } }, false],
    ['an object in the place of a value', { spec: { own: {} } }, false],
    ['nothing', {}, true],
  ] as const) {
    it(`${expected ? 'yes' : 'no'}: ${name}`, () => {
      expect(contains(live, rendered)).to.equal(expected);
    });
  }

  it('yes of itself, whatever others have added', () => {
    fc.assert(
      fc.property(fc.object(), fc.object(), (rendered, added) => {
        expect(contains({ ...added, ...rendered }, rendered)).to.equal(true);
      }),
    );
  });
});
