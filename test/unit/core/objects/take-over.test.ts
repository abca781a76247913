import { expect } from 'chai';
import { hasUnknownOrigin, takeOverPatch } from '../../../../src/core/objects/take-over.ts';
import type { KubernetesObject } from '../../../../src/types/kubernetes.ts';

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

function live(
  managedFields: readonly unknown[],
  annotations: Record<string, string> = {},
): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'web', resourceVersion: '7', annotations, managedFields: [...managedFields] },
  };
}

function entry(manager: string, operation: string, fieldsV1: object, more: object = {}): object {
  return { manager, operation, apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1, ...more };
}

const clientSide = entry('kubectl-client-side-apply', 'Update', { 'f:data': { 'f:old': {} } });

describe('an object that kubectl apply managed', () => {
  it('has its fields handed over, guarded by its resourceVersion', () => {
    expect(takeOverPatch(live([clientSide], { [lastApplied]: '{}' }), 'us')).to.deep.equal([
      {
        op: 'replace',
        path: '/metadata/managedFields',
        value: [entry('us', 'Apply', { 'f:data': { 'f:old': {} } })],
      },
      {
        op: 'remove',
        path: '/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration',
      },
      { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
    ]);
  });

  it('has them joined with what is ours already', () => {
    const own = entry('us', 'Apply', { 'f:data': { '.': {}, 'f:new': {} } });
    const before = entry('before-first-apply', 'Update', { 'f:data': { 'f:a': {} }, 'f:spec': {} });
    const [patch] = takeOverPatch(live([own, clientSide, before]), 'us') ?? [];
    expect(patch).to.deep.include({
      value: [
        entry('us', 'Apply', {
          'f:data': { '.': {}, 'f:new': {}, 'f:old': {}, 'f:a': {} },
          'f:spec': {},
        }),
      ],
    });
  });

  it('leaves alone what others manage, and what kubectl applied on the server', () => {
    const others = [
      entry('kube-controller-manager', 'Update', {}),
      entry('kubectl-edit', 'Update', {}),
      entry('kubectl', 'Apply', {}),
      entry('kubectl', 'Update', {}, { subresource: 'scale' }),
    ];
    expect(takeOverPatch(live(others), 'us')).to.equal(undefined);
    const [patch] = takeOverPatch(live([...others, clientSide]), 'us') ?? [];
    expect(patch).to.have.deep.property('value', [
      ...others,
      entry('us', 'Apply', { 'f:data': { 'f:old': {} } }),
    ]);
  });

  it('keeps apart the fields of another API version, whose paths mean something else', () => {
    const beta = entry('kubectl', 'Update', { 'f:spec': {} }, { apiVersion: 'v1beta1' });
    const [patch] = takeOverPatch(live([clientSide, beta]), 'us') ?? [];
    expect(patch).to.have.deep.property('value', [
      beta,
      entry('us', 'Apply', { 'f:data': { 'f:old': {} } }),
    ]);
  });

  it('is told from one without any known manager', () => {
    expect(hasUnknownOrigin(live([entry('before-first-apply', 'Update', {})]))).to.equal(true);
    expect(hasUnknownOrigin(live([clientSide]))).to.equal(false);
    expect(hasUnknownOrigin(live(['nonsense', null]))).to.equal(false);
  });
});
