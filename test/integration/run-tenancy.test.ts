import { expect } from 'chai';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { canary } from '../canary.ts';
import { configMap, configMaps, serviceAccount } from '../objects.ts';
import { useController } from '../playground.ts';
import type { TestNamespace } from '../test-namespace.ts';

const everyVerb = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];

/** Lets a ServiceAccount of the namespace do this with ConfigMaps, and with nothing else. */
async function grantConfigMaps(
  shop: TestNamespace,
  account: string,
  verbs: readonly string[] = everyVerb,
): Promise<void> {
  const name = `${account}-config`;
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs }];
  const role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name },
    rules,
  };
  await shop.create(role);
  await shop.create(binding(shop, account));
}

function binding(shop: TestNamespace, account: string): KubernetesObject {
  const name = `${account}-config`;
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace: shop.name }],
  };
}

const secret: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'password' },
  stringData: { password: canary },
};

describe('a StageSet with a serviceAccountName', () => {
  const stand = useController();

  it('may do what its account may, and is told what it may not', async () => {
    const shop = await stand.namespace();
    await shop.create(serviceAccount('deployer'));
    await grantConfigMaps(shop, 'deployer');
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.publish('keys', 'v1', [secret]);
    await shop.createStageSet(['app', 'keys'], { serviceAccountName: 'deployer' });
    const message = await shop.untilReason('RBACDenied');
    expect(message).to.include(`Stage keys: apply: Secret/${shop.name}/password: `);
    expect(message).to.include(
      `User "system:serviceaccount:${shop.name}:deployer" cannot patch resource "secrets" ` +
        `in API group "" in the namespace "${shop.name}"`,
    );
    expect(message).not.to.include(canary);
    expect(await shop.configMapNames()).to.deep.equal(['web']);
    expect(await shop.find(secret)).to.equal(undefined);
  });

  it('goes on when the right is granted and a reconcile is asked for', async () => {
    const shop = await stand.namespace();
    await shop.create(serviceAccount('deployer'));
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app'], { serviceAccountName: 'deployer' });
    expect(await shop.untilReason('RBACDenied')).to.include(
      `User "system:serviceaccount:${shop.name}:deployer" cannot patch resource "configmaps"`,
    );
    expect(await shop.configMapNames()).to.deep.equal([]);
    await grantConfigMaps(shop, 'deployer');
    await shop.request('granted');
    await shop.untilReady('v1');
  });

  it('goes on by itself within seconds when the right is granted soon', async () => {
    const shop = await stand.namespace();
    await shop.create(serviceAccount('deployer'));
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app'], { serviceAccountName: 'deployer' });
    await shop.untilReason('RBACDenied');
    await grantConfigMaps(shop, 'deployer');
    await shop.untilReady('v1', { within: 10_000 });
  });

  it('attack 73: a ServiceAccount that does not exist (it never falls back to the controller, part A 9.2)', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app'], { serviceAccountName: 'ghost' });
    expect(await shop.untilReason('StageFailed')).to.include(
      `no token for ServiceAccount ${shop.name}/ghost: it does not exist`,
    );
    expect(await shop.configMapNames()).to.deep.equal([]);
    // An account without any right is no reason either.
    await shop.create(serviceAccount('ghost'));
    expect(await shop.untilReason('RBACDenied')).to.include(
      `User "system:serviceaccount:${shop.name}:ghost" cannot patch`,
    );
    expect(await shop.configMapNames()).to.deep.equal([]);
  });

  it('attack 74: a stage with an account of its own (it has no other rights, nor lends its own, part A 9.1)', async () => {
    const shop = await stand.namespace();
    await shop.create(serviceAccount('deployer'));
    await shop.create(serviceAccount('nobody'));
    await grantConfigMaps(shop, 'deployer');
    await shop.publish('one', 'v1', [configMap('one')]);
    await shop.publish('two', 'v1', [configMap('two')]);
    await shop.createStageSet(['one', { name: 'two', serviceAccountName: 'nobody' }], {
      serviceAccountName: 'deployer',
    });
    const message = await shop.untilReason('RBACDenied');
    expect(message).to.match(/^Stage two: /);
    expect(message).to.include(`User "system:serviceaccount:${shop.name}:nobody" cannot patch`);
    expect(await shop.configMapNames()).to.deep.equal(['one']);
  });

  it('needs no more than create, patch and get to apply', async () => {
    const shop = await stand.namespace();
    await shop.create(serviceAccount('deployer'));
    await grantConfigMaps(shop, 'deployer', ['create', 'patch', 'get']);
    await shop.publish('app', 'v1', configMaps('web', 5));
    await shop.createStageSet(['app'], { serviceAccountName: 'deployer' });
    await shop.untilReady('v1');
    const before = await shop.configMapVersions();
    await shop.request('again');
    await shop.untilStageSet(({ status }) => status?.lastHandledReconcileAt === 'again');
    await shop.untilReady('v1');
    expect(await shop.configMapVersions()).to.deep.equal(before);
  });

  it('keeps what it may not delete recorded until it may', async () => {
    const shop = await stand.namespace();
    await shop.create(serviceAccount('deployer'));
    await grantConfigMaps(shop, 'deployer', ['create', 'patch', 'get', 'list']);
    await shop.publish('app', 'v1', [configMap('dropped'), configMap('kept')]);
    await shop.createStageSet(['app'], { serviceAccountName: 'deployer' });
    await shop.untilReady('v1');
    await shop.publish('app', 'v2', [configMap('kept')]);
    const message = await shop.untilReason('RBACDenied');
    expect(message).to.include(`prune: ConfigMap/${shop.name}/dropped: `);
    expect(message).to.include(
      `User "system:serviceaccount:${shop.name}:deployer" cannot delete resource "configmaps"`,
    );
    expect(await shop.inventories()).to.deep.equal({
      app: [`${shop.name}_dropped__ConfigMap`, `${shop.name}_kept__ConfigMap`],
    });
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role' };
    await shop.patch(
      { ...role, metadata: { name: 'deployer-config' } },
      { rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: everyVerb }] },
    );
    await shop.request('granted');
    await shop.untilReady('v2');
    expect(await shop.configMapNames()).to.deep.equal(['kept']);
    expect(await shop.inventories()).to.deep.equal({ app: [`${shop.name}_kept__ConfigMap`] });
  });

  it('goes on when its account was deleted and created anew', async () => {
    const shop = await stand.namespace();
    await shop.create(serviceAccount('deployer'));
    await grantConfigMaps(shop, 'deployer');
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app'], { serviceAccountName: 'deployer' });
    await shop.untilReady('v1');
    await shop.delete(serviceAccount('deployer'));
    await shop.create(serviceAccount('deployer'));
    await shop.publish('app', 'v2', [configMap('web', { release: 'two' })]);
    await shop.untilReady('v2');
  });

  it('attack 75: a release of the records of others (the rights of the controller are not lent, part A 9.1)', async () => {
    const [shop, victim] = [await stand.namespace(), await stand.namespace()];
    await victim.publish('app', 'v1', [configMap('app')]);
    await victim.createStageSet(['app']);
    await victim.untilReady('v1');
    const spec = { stages: [{ name: 'app', sourceRef: { name: 'web', namespace: shop.name } }] };
    const theirs = {
      apiVersion: 'stages.metio.wtf/v1',
      kind: 'StageSet',
      metadata: { name: 'shop', namespace: victim.name },
      spec,
    };
    await shop.publish('web', 'v1', [theirs]);
    await shop.createStageSet(['web']);
    expect(await shop.untilReason('StageFailed')).to.include(
      `StageSet/${victim.name}/shop is not applied with the controller's own rights; ` +
        'set serviceAccountName to an account that may write it',
    );
    const stageSet = await victim.untilStageSet(() => true);
    expect(stageSet.spec?.stages[0]?.sourceRef).to.deep.include({ name: 'app' });
    expect(stageSet.metadata.labels).to.equal(undefined);
  });
});
