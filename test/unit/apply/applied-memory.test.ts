import { expect } from 'chai';
import fc from 'fast-check';
import {
  AppliedMemory,
  type AppliedRecord,
  untouchedSince,
} from '../../../src/apply/applied-memory.ts';
import type { KubernetesObject } from '../../../src/types/kubernetes.ts';

const record: AppliedRecord = {
  desired: 'as rendered',
  stage: 'app',
  uid: 'uid-1',
  resourceVersion: '100',
  generation: 3,
  metadata: 'labels and annotations',
};

describe('the memory of what was applied', () => {
  it('recalls what it was told last', () => {
    const memory = new AppliedMemory();
    memory.remember('a', record);
    memory.remember('a', { ...record, desired: 'newer' });
    expect(memory.recall('a')).to.deep.equal({ ...record, desired: 'newer' });
    expect(memory.recall('b')).to.equal(undefined);
  });

  it('forgets what it is told to', () => {
    const memory = new AppliedMemory();
    memory.remember('a', record);
    memory.forget('a');
    memory.forget('never known');
    expect(memory.recall('a')).to.equal(undefined);
  });

  it('forgets first what was not looked at for longest', () => {
    const memory = new AppliedMemory(2);
    memory.remember('a', record);
    memory.remember('b', record);
    memory.recall('a');
    memory.remember('c', record);
    expect(['a', 'b', 'c'].map((key) => memory.recall(key) !== undefined)).to.deep.equal([
      true,
      false,
      true,
    ]);
  });

  it('never holds more than its capacity, and always what it was told last', () => {
    const keys = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { minLength: 1 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), keys, (capacity, all) => {
        const memory = new AppliedMemory(capacity);
        for (const key of all) memory.remember(key, record);
        const held = [...new Set(all)].filter((key) => memory.recall(key) !== undefined);
        expect(held.length).to.equal(Math.min(capacity, new Set(all).size));
        expect(held).to.include(all.at(-1));
      }),
    );
  });
});

describe('a live object is untouched since it was applied', () => {
  function live(metadata: object): KubernetesObject {
    const base = { name: 'web', uid: 'uid-1', resourceVersion: '100', generation: 3 };
    return { apiVersion: 'v1', kind: 'Thing', metadata: { ...base, ...metadata } };
  }

  function untouched(metadata: object, digest = record.metadata, known = record): boolean {
    return untouchedSince(known, live(metadata), () => digest);
  }

  it('when it has not been written since', () => {
    expect(untouched({})).to.equal(true);
  });

  it('when only its status was', () => {
    expect(untouched({ resourceVersion: '101' })).to.equal(true);
  });

  it('but not when its spec, its labels or its annotations were', () => {
    expect(untouched({ resourceVersion: '101', generation: 4 })).to.equal(false);
    expect(untouched({ resourceVersion: '101' }, 'other labels')).to.equal(false);
  });

  it('and not when it was deleted and created anew', () => {
    expect(untouched({ uid: 'uid-2' })).to.equal(false);
    expect(untouched({ uid: 'uid-2', resourceVersion: '101' })).to.equal(false);
  });

  it('and not when a kind without generations was written', () => {
    const known = { ...record, generation: undefined };
    expect(
      untouched({ resourceVersion: '101', generation: undefined }, record.metadata, known),
    ).to.equal(false);
    expect(untouched({ generation: undefined }, record.metadata, known)).to.equal(true);
  });

  it('and not when it got or lost its generation', () => {
    expect(untouched({ resourceVersion: '101', generation: undefined })).to.equal(false);
    const known = { ...record, generation: undefined };
    expect(untouched({ resourceVersion: '101' }, record.metadata, known)).to.equal(false);
  });
});
