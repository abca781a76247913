import { expect } from 'chai';
import { attemptDelete } from '../../src/actions/delete.ts';
import { DeniedError } from '../../src/core/errors.ts';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import type { DeleteAction } from '../../src/types/stages.ts';
import { actionContext } from '../action-context.ts';
import { tenantWith } from '../actors.ts';
import { configMap, deployment, withMetadata } from '../objects.ts';
import { sharedPlayground } from '../playground.ts';
import { TestNamespace } from '../test-namespace.ts';
import { caught } from './objects.ts';

const verbs = ['get', 'delete'];
const rights = [
  { apiGroups: [''], resources: ['configmaps'], verbs },
  { apiGroups: ['apps'], resources: ['deployments'], verbs },
];

describe('a delete action', () => {
  let shop: TestNamespace;
  let tenant: KubernetesClient;

  beforeEach(async () => {
    shop = await TestNamespace.create(await sharedPlayground());
    tenant = await tenantWith(shop, rights);
  });

  const settings = { apiVersion: 'v1', kind: 'ConfigMap', name: 'settings' };

  async function remove(action: DeleteAction, as = tenant): Promise<unknown> {
    const context = actionContext(shop, as, { name: 'remove', delete: action });
    return await attemptDelete(context, action, shop.call);
  }

  it('deletes an object, whoever it belongs to', async () => {
    await shop.create(configMap('settings'));
    expect(await remove({ target: settings })).to.deep.equal({ kind: 'Done' });
    expect(await shop.find(configMap('settings'))).to.equal(undefined);
  });

  it('succeeds when there is no such object', async () => {
    expect(await remove({ target: settings })).to.deep.equal({ kind: 'Done' });
  });

  it('finds the version of a kind without one', async () => {
    await shop.create(deployment('web'));
    await remove({ target: { kind: 'Deployment', name: 'web' } });
    expect(await shop.find(deployment('web'))).to.equal(undefined);
  });

  it('does not wait until the object has disappeared', async () => {
    const held = withMetadata(configMap('settings'), { finalizers: ['example.com/hold'] });
    await shop.create(held);
    expect(await remove({ target: settings })).to.deep.equal({ kind: 'Done' });
    const live = await shop.find(held);
    expect(live?.metadata.deletionTimestamp).to.be.a('string');
    expect(await remove({ target: settings })).to.deep.equal({ kind: 'Done' });
    await shop.patch(held, { metadata: { finalizers: null } });
  });

  for (const { cascade, finalizers } of [
    { cascade: 'Foreground', finalizers: ['example.com/hold', 'foregroundDeletion'] },
    { cascade: 'Orphan', finalizers: ['example.com/hold', 'orphan'] },
    { cascade: 'Background', finalizers: ['example.com/hold'] },
    { cascade: undefined, finalizers: ['example.com/hold'] },
  ] as const) {
    it(`treats dependents as ${cascade ?? 'nothing'} says`, async () => {
      // The garbage collector's orders to itself are finalizers.
      const held = withMetadata(deployment('web'), { finalizers: ['example.com/hold'] });
      await shop.create(held);
      const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
      await remove({ target, ...(cascade === undefined ? {} : { cascade }) });
      const live = await shop.find(held);
      expect(live?.metadata.finalizers).to.deep.equal(finalizers);
      await shop.patch(held, { metadata: { finalizers: null } });
    });
  }

  it('deletes by name when the tenant may delete and not read', async () => {
    const writeOnly = await tenantWith(
      shop,
      [{ apiGroups: [''], resources: ['configmaps'], verbs: ['delete'] }],
      'write-only',
    );
    await shop.create(configMap('settings'));
    await remove({ target: settings }, writeOnly);
    expect(await shop.find(configMap('settings'))).to.equal(undefined);
  });

  it('is denied what the tenant may not do, and names the object', async () => {
    const secret: KubernetesObject = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'password' },
    };
    await shop.create(secret);
    const target = { apiVersion: 'v1', kind: 'Secret', name: 'password' };
    const error = await caught(remove({ target }));
    expect(error).to.be.instanceOf(DeniedError);
    expect(String(error)).to.contain(`delete Secret/${shop.name}/password: `);
    expect(await shop.find(secret)).not.to.equal(undefined);
  });

  it('reaches another namespace only where the tenant may', async () => {
    const other = await TestNamespace.create(await sharedPlayground());
    await other.create(configMap('settings'));
    const target = { ...settings, namespace: other.name };
    expect(await caught(remove({ target }))).to.be.instanceOf(DeniedError);
    expect(await other.find(configMap('settings'))).not.to.equal(undefined);
  });
});
