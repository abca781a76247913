import { expect } from 'chai';
import fc from 'fast-check';
import { describeObject } from '../../../../src/core/objects/identity.ts';
import { applyGroups, deletionOrder, othersBuildOn } from '../../../../src/core/objects/order.ts';

function object(kind: string, name = 'x', apiVersion = 'v1', namespace?: string) {
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

const kinds = [
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'APIService',
  'Ingress',
  'PodDisruptionBudget',
  'CronJob',
  'StatefulSet',
  'Deployment',
  'LimitRange',
  'Service',
  'Secret',
  'ConfigMap',
  'RoleBinding',
  'Role',
  'ServiceAccount',
  'ResourceQuota',
  'ClusterRoleBinding',
  'DeviceClass',
  'GatewayClass',
  'IngressClass',
  'VolumeSnapshotClass',
  'StorageClass',
  'PriorityClass',
  'RuntimeClass',
  'ClusterClass',
  'ClusterRole',
  'Namespace',
  'CustomResourceDefinition',
];

describe('the order of application', () => {
  it('has definitions first, then classes, the rest, and what requests are sent through, each by rank', () => {
    const groups = applyGroups(kinds.map((kind) => object(kind)));
    expect(groups.map((group) => group.map(({ kind }) => kind))).to.deep.equal([
      ['CustomResourceDefinition', 'Namespace', 'ClusterRole'],
      [
        'ClusterClass',
        'RuntimeClass',
        'PriorityClass',
        'StorageClass',
        'VolumeSnapshotClass',
        'IngressClass',
        'GatewayClass',
        'DeviceClass',
      ],
      [
        'ClusterRoleBinding',
        'ResourceQuota',
        'ServiceAccount',
        'Role',
        'RoleBinding',
        'ConfigMap',
        'Secret',
        'Service',
        'LimitRange',
        'Deployment',
        'StatefulSet',
        'CronJob',
        'PodDisruptionBudget',
        'Ingress',
      ],
      ['APIService', 'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'],
    ]);
  });

  it('breaks ties by group, kind, namespace and name', () => {
    const objects = [
      object('Widget', 'a', 'b.example.com/v1'),
      object('Widget', 'b', 'a.example.com/v1', 'two'),
      object('Widget', 'a', 'a.example.com/v1', 'two'),
      object('Widget', 'z', 'a.example.com/v1', 'one'),
      object('Gadget', 'z', 'a.example.com/v1', 'two'),
    ];
    expect(applyGroups(objects).flat().map(describeObject)).to.deep.equal([
      'Gadget/two/z',
      'Widget/one/z',
      'Widget/two/a',
      'Widget/two/b',
      'Widget/a',
    ]);
  });

  it('has the others wait for definitions, namespaces, cluster roles and classes, and for nothing else', () => {
    const awaited = applyGroups(kinds.map((kind) => object(kind))).map(othersBuildOn);
    expect(awaited).to.deep.equal([true, true, false, false]);
  });

  it('has no empty group', () => {
    expect(applyGroups([])).to.deep.equal([]);
    expect(applyGroups([object('ConfigMap')])).to.deep.equal([[object('ConfigMap')]]);
  });

  const objects = fc.uniqueArray(
    fc.record({
      apiVersion: fc.constantFrom('v1', 'apps/v1', 'example.com/v1'),
      kind: fc.constantFrom(...kinds),
      namespace: fc.constantFrom('one', 'two'),
      name: fc.constantFrom('a', 'b', 'c'),
    }),
    { selector: (value) => JSON.stringify(value) },
  );

  it('is exactly reversed for deletion', () => {
    fc.assert(
      fc.property(objects, (list) => {
        expect(deletionOrder(list)).to.deep.equal(applyGroups(list).flat().reverse());
      }),
    );
  });

  it('does not depend on the order given, and loses nothing', () => {
    fc.assert(
      fc.property(objects, (list) => {
        const reordered = applyGroups([...list].reverse());
        expect(applyGroups(list)).to.deep.equal(reordered);
        expect(reordered.flat()).to.have.deep.members(list);
      }),
    );
  });
});
