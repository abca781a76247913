import { expect } from 'chai';
import fc from 'fast-check';
import { mergePatch } from '../../../src/controller/merge-patch.ts';
import type { JsonObject } from '../../../src/types/kubernetes.ts';

/** MergePatch as RFC 7386, section 2, defines it. */
function applied(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) result.delete(name);
    else result.set(name, applied(result.get(name), value));
  }
  return Object.fromEntries(result);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const names = fc.constantFrom('a', 'b', 'c', 'conditions', 'toString');

/** JSON without nulls, which a merge patch cannot say; fields are often the same, and often not. */
const { object } = fc.letrec<{ value: unknown; object: JsonObject }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(0, 1, '', 'text', true, false),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(names, tie('value'), { maxKeys: 4, noNullPrototype: true }),
}));

describe('a merge patch', () => {
  const cases: [string, JsonObject, JsonObject, JsonObject | undefined][] = [
    ['is none between equals', { a: { b: [1] } }, { a: { b: [1] } }, undefined],
    ['is none between equals in another order', { a: 1, b: 2 }, { b: 2, a: 1 }, undefined],
    ['adds a field', {}, { a: 1 }, { a: 1 }],
    ['changes a field', { a: 1, b: 1 }, { a: 2, b: 1 }, { a: 2 }],
    ['removes a field by null', { a: 1, b: 1 }, { b: 1 }, { a: null }],
    ['goes into objects', { a: { b: 1, c: 1 } }, { a: { b: 2 } }, { a: { b: 2, c: null } }],
    ['replaces arrays as a whole', { a: [1, 2] }, { a: [1, 3] }, { a: [1, 3] }],
    ['sees a shorter array', { a: [1, 2] }, { a: [1] }, { a: [1] }],
    ['sees a change inside an array', { a: [{ b: 1 }] }, { a: [{ b: 2 }] }, { a: [{ b: 2 }] }],
    ['replaces an object by a value', { a: { b: 1 } }, { a: 'x' }, { a: 'x' }],
    ['replaces a value by an object', { a: [] }, { a: { b: 1 } }, { a: { b: 1 } }],
    ['empties an object', { a: { b: 1 } }, { a: {} }, { a: { b: null } }],
    ['adds an empty object', {}, { a: {} }, { a: {} }],
    ['takes undefined for absent', { a: undefined, b: 1 }, { c: undefined }, { b: null }],
    [
      'tells 0, false and the empty text apart',
      { a: 0, b: '' },
      { a: false, b: 0 },
      { a: false, b: 0 },
    ],
  ];
  for (const [title, from, to, patch] of cases) {
    it(title, () => {
      expect(mergePatch(from, to)).to.deep.equal(patch);
    });
  }

  it('turns the one into the other', () => {
    fc.assert(
      fc.property(object, object, (from, to) => {
        expect(applied(from, mergePatch(from, to) ?? {})).to.deep.equal(to);
      }),
    );
  });

  it('is none exactly between equals', () => {
    fc.assert(
      fc.property(object, object, (from, to) => {
        expect(mergePatch(from, structuredClone(from))).to.equal(undefined);
        const changed = mergePatch(from, to) !== undefined;
        if (!changed) expect(from).to.deep.equal(to);
      }),
    );
  });

  it('leaves fields alone that neither knows of', () => {
    fc.assert(
      fc.property(object, object, fc.integer(), (from, to, foreign) => {
        const patch = mergePatch(from, to) ?? {};
        expect(applied({ ...from, foreign }, patch)).to.deep.equal({ ...to, foreign });
      }),
    );
  });

  it('changes neither of the two', () => {
    fc.assert(
      fc.property(object, object, (from, to) => {
        const [before, wanted] = [structuredClone(from), structuredClone(to)];
        mergePatch(from, to);
        expect([from, to]).to.deep.equal([before, wanted]);
      }),
    );
  });
});
