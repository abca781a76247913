import { expect } from 'chai';
import fc from 'fast-check';
import { difference, union } from '../../../../src/core/inventory/sets.ts';
import { entries, ids } from './arbitrary.ts';

describe('sets of inventory entries', () => {
  it('unite sorted by id, with the newer version of an object', () => {
    const previous = [
      { id: 'a_web_apps_Deployment', v: 'v1beta1' },
      { id: 'a_old__ConfigMap', v: 'v1' },
    ];
    const next = [
      { id: 'a_web_apps_Deployment', v: 'v1' },
      { id: 'a_new__ConfigMap', v: 'v1' },
    ];
    expect(union(previous, next)).to.deep.equal([
      { id: 'a_new__ConfigMap', v: 'v1' },
      { id: 'a_old__ConfigMap', v: 'v1' },
      { id: 'a_web_apps_Deployment', v: 'v1' },
    ]);
  });

  it('differ by object, not by version', () => {
    const entry = { id: 'a_web_apps_Deployment', v: 'v1' };
    expect(difference([entry], [{ ...entry, v: 'v1beta1' }])).to.deep.equal([]);
  });

  it('obey the laws of sets', () => {
    fc.assert(
      fc.property(entries, entries, entries, (a, b, c) => {
        const all = ids(union(a, b));
        expect(all).to.have.members([...new Set([...ids(a), ...ids(b)])]);
        expect(all).to.deep.equal([...all].sort());
        expect(ids(union(b, a))).to.deep.equal(all);
        expect(union(a, a)).to.deep.equal(union([], a));
        expect(union(union(a, b), c)).to.deep.equal(union(a, union(b, c)));
        expect(difference(a, a)).to.deep.equal([]);
        expect(difference(a, [])).to.deep.equal(a);
        expect(ids(union(difference(a, b), b))).to.deep.equal(all);
        expect(difference(a, b, c)).to.deep.equal(difference(difference(a, b), c));
      }),
    );
  });
});
