import { expect } from 'chai';
import fc from 'fast-check';
import { TerminalError } from '../../../../src/core/errors.ts';
import { entryOf, parseEntry, referenceOf } from '../../../../src/core/inventory/entry.ts';
import type { ObjectReference } from '../../../../src/types/kubernetes.ts';

describe('an inventory entry', () => {
  const written: [object: ObjectReference, id: string, v: string][] = [
    [
      { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'api' },
      'shop_api_apps_Deployment',
      'v1',
    ],
    [
      { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'api' },
      'shop_api__ConfigMap',
      'v1',
    ],
    [{ apiVersion: 'v1', kind: 'Namespace', name: 'shop' }, '_shop__Namespace', 'v1'],
    [
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: 'system:view_all' },
      '_system:view_all_rbac.authorization.k8s.io_ClusterRole',
      'v1',
    ],
    [
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', namespace: 'a', name: '_b__c_' },
      'a__b__c__rbac.authorization.k8s.io_Role',
      'v1',
    ],
    [
      { apiVersion: 'example.com/v1alpha1', kind: 'Widget', namespace: 'a', name: 'b.c' },
      'a_b.c_example.com_Widget',
      'v1alpha1',
    ],
  ];
  for (const [object, id, v] of written) {
    it(`of ${id} is written and read back`, () => {
      expect(entryOf(object)).to.deep.equal({ id, v });
      expect(referenceOf({ id, v })).to.deep.equal(object);
    });
  }

  it('may have group and version where only the version belongs', () => {
    expect(referenceOf({ id: 'shop_api_apps_Deployment', v: 'apps/v1' })).to.deep.equal({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      namespace: 'shop',
      name: 'api',
    });
  });

  for (const id of ['', '_', '__', '___', 'a', 'a_b', 'a_b_c', '_b_c', '__c_D', 'a_b_c_']) {
    it(`of ${JSON.stringify(id)} is malformed`, () => {
      expect(parseEntry({ id, v: 'v1' })).to.equal(undefined);
      expect(() => referenceOf({ id, v: 'v1' })).to.throw(TerminalError, 'is malformed');
    });
  }

  it('without a version is malformed', () => {
    expect(parseEntry({ id: 'a_b_apps_Deployment', v: '' })).to.equal(undefined);
    expect(parseEntry({ id: 'a_b_apps_Deployment', v: 'apps/' })).to.equal(undefined);
  });

  const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,5}[a-z0-9])?$/);
  const objects = fc
    .record({
      group: fc.option(fc.tuple(label, label).map((parts) => parts.join('.'))),
      version: fc.constantFrom('v1', 'v2beta1'),
      kind: fc.stringMatching(/^[A-Z][A-Za-z0-9]{0,8}$/),
      namespace: fc.option(label, { nil: undefined }),
      name: fc.stringMatching(/^[-a-z0-9.:_]{1,12}$/),
    })
    .map(
      ({ group, version, kind, namespace, name }): ObjectReference => ({
        apiVersion: group === null ? version : `${group}/${version}`,
        kind,
        name,
        ...(namespace === undefined ? {} : { namespace }),
      }),
    );

  it('names the object that it was written for, whatever its name', () => {
    fc.assert(
      fc.property(objects, (object) => {
        expect(referenceOf(entryOf(object))).to.deep.equal(object);
      }),
    );
  });
});
