import { expect } from 'chai';
import {
  apiVersionOf,
  describeObject,
  groupOf,
  identityOf,
  referenceTo,
  sameObject,
  versionOf,
} from '../../../../src/core/objects/identity.ts';

const web = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default', name: 'web' };
const view = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: 'view' };

describe('the identity of an object', () => {
  it('splits an apiVersion into group and version, and joins them', () => {
    expect([groupOf('apps/v1'), versionOf('apps/v1')]).to.deep.equal(['apps', 'v1']);
    expect([groupOf('v1'), versionOf('v1')]).to.deep.equal(['', 'v1']);
    expect(apiVersionOf('apps', 'v1')).to.equal('apps/v1');
    expect(apiVersionOf('', 'v1')).to.equal('v1');
  });

  it('is namespace, name, group and kind, without the version', () => {
    expect(identityOf(web)).to.equal('default_web_apps_Deployment');
    expect(identityOf(view)).to.equal('_view_rbac.authorization.k8s.io_ClusterRole');
    expect(identityOf({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'a', name: 'b' })).to.equal(
      'a_b__ConfigMap',
    );
  });

  it('is the same in every version, and for an object and a reference to it', () => {
    const object = {
      apiVersion: 'apps/v1beta1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'default', labels: { a: 'b' } },
    };
    expect(sameObject(object, web)).to.equal(true);
  });

  it('differs in namespace, name, group or kind', () => {
    for (const other of [
      { ...web, namespace: 'shop' },
      { ...web, name: 'api' },
      { ...web, apiVersion: 'example.com/v1' },
      { ...web, kind: 'StatefulSet' },
    ]) {
      expect(sameObject(web, other)).to.equal(false);
    }
  });

  it('takes an empty namespace for none', () => {
    const reference = referenceTo({ ...view, namespace: '' });
    expect(reference).to.deep.equal(view);
    expect(sameObject({ ...view, namespace: '' }, view)).to.equal(true);
  });

  it('has a name for people', () => {
    expect(describeObject(web)).to.equal('Deployment/default/web');
    expect(describeObject(view)).to.equal('ClusterRole/view');
    expect(describeObject({ ...view, metadata: { name: 'view', namespace: '' } })).to.equal(
      'ClusterRole/view',
    );
  });
});
