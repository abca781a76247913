import { expect } from 'chai';
import { beyondStored } from '../../../src/planning/beyond-stored.ts';
import type { SourceReference, StageSetSpec } from '../../../src/types/stages.ts';

function spec(sourceRef: SourceReference, more: Partial<StageSetSpec> = {}): StageSetSpec {
  return { ...more, stages: [{ name: 'web', sourceRef }] };
}

const foreign = { kind: 'GitRepository', name: 'app', namespace: 'other' };
const secretRef = { name: 'cluster' };

describe('a supposed spec reaches further than the stored one', () => {
  it('with a source of another namespace', () => {
    expect(beyondStored(spec(foreign), spec({ name: 'web' }), 'shop')).to.deep.equal([
      {
        path: 'spec.stages[0].sourceRef.namespace',
        message: 'a plan reads no source of another namespace but the stored ones',
      },
    ]);
  });

  it('not with one that the stored spec has', () => {
    expect(beyondStored(spec(foreign), spec(foreign), 'shop')).to.deep.equal([]);
  });

  it('not with another source of its own namespace, however that is written', () => {
    const stored = spec({ name: 'web' });
    for (const namespace of [undefined, '', 'shop']) {
      const reference = { name: 'next', ...(namespace === undefined ? {} : { namespace }) };
      expect(beyondStored(spec(reference), stored, 'shop')).to.deep.equal([]);
    }
  });

  it('with another cluster, or with the own one in place of another', () => {
    const [here, there] = [
      spec({ name: 'web' }),
      spec({ name: 'web' }, { kubeConfig: { secretRef } }),
    ];
    for (const [supposed, stored] of [
      [there, here],
      [here, there],
    ] as const) {
      const [problem] = beyondStored(supposed, stored, 'shop');
      expect(problem?.path).to.equal('spec.kubeConfig');
    }
    expect(beyondStored(there, there, 'shop')).to.deep.equal([]);
  });
});
