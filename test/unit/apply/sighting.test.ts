import { expect } from 'chai';
import { recordOf } from '../../../src/apply/applied-memory.ts';
import { explains, type Sighting, slimmed, stageSetNamedBy } from '../../../src/apply/sighting.ts';
import type { KubernetesObject, ObjectMeta } from '../../../src/types/kubernetes.ts';

const labels = { 'stages.metio.wtf/name': 'shop', 'stages.metio.wtf/namespace': 'team' };

function object(metadata: Partial<ObjectMeta> = {}): KubernetesObject {
  const rest = { uid: 'uid-1', resourceVersion: '100', generation: 3, labels };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'team', ...rest, ...metadata },
  };
}

const record = recordOf(object(), 'as rendered', 'app');

function seen(metadata: Partial<ObjectMeta>): Sighting {
  return { kind: 'There', object: slimmed(object(metadata), (name) => name) };
}

describe('what a watch saw of an applied object', () => {
  for (const [name, sighting, isExplained] of [
    ['our own write', seen({}), true],
    ['a status update', seen({ resourceVersion: '101' }), true],
    ['a state before our write', seen({ resourceVersion: '99', generation: 2 }), true],
    [
      'a state before our write, one digit shorter',
      seen({ resourceVersion: '9', generation: 2 }),
      true,
    ],
    ['the object that ours has replaced', seen({ resourceVersion: '99', uid: 'uid-0' }), true],
    ['the end of one that ours has replaced', { kind: 'Gone', uid: 'uid-0' } as const, true],
    ['an edit of its spec', seen({ resourceVersion: '101', generation: 4 }), false],
    ['a label of somebody', seen({ resourceVersion: '101', labels: { ...labels, a: 'b' } }), false],
    ['an annotation', seen({ resourceVersion: '101', annotations: { a: 'b' } }), false],
    ['another one of its name', seen({ resourceVersion: '101', uid: 'uid-2' }), false],
    ['its end', { kind: 'Gone', uid: 'uid-1' } as const, false],
  ] as const) {
    it(`${isExplained ? 'is no news' : 'is drift'}: ${name}`, () => {
      expect(explains(record, sighting)).to.equal(isExplained);
    });
  }

  it('is drift of a kind without generation whenever it was written', () => {
    const [before, after] = ['100', '101'].map((resourceVersion) => {
      const metadata = { name: 'web', namespace: 'team', uid: 'uid-1', resourceVersion, labels };
      return { apiVersion: 'v1', kind: 'ConfigMap', metadata } satisfies KubernetesObject;
    });
    if (before === undefined || after === undefined) throw new Error('there are two');
    const sighting: Sighting = { kind: 'There', object: slimmed(after, (name) => name) };
    expect(explains(recordOf(before, 'as rendered', 'app'), sighting)).to.equal(false);
  });

  it('keeps whose it is, and neither labels nor annotations nor anything else', () => {
    const full = { ...object({ annotations: { a: 'b' }, managedFields: [{}] }), spec: { a: 1 } };
    const { digest, ...slim } = slimmed(full, (name) => name);
    expect(digest).to.be.a('string');
    expect(slim).to.deep.equal({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        name: 'web',
        namespace: 'team',
        uid: 'uid-1',
        resourceVersion: '100',
        generation: 3,
      },
      stageSet: 'team/shop',
    });
    expect(stageSetNamedBy(slim)).to.equal('team/shop');
  });

  it('names no StageSet where a label is missing', () => {
    const slim = slimmed(object({ labels: { 'stages.metio.wtf/name': 'shop' } }), (name) => name);
    expect(stageSetNamedBy(slim)).to.equal(undefined);
  });
});
