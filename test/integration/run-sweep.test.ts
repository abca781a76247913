import { expect } from 'chai';
import type { ControllerProcess } from '../../dev/controller-process.ts';
import type { Playground } from '../../dev/playground.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { stagesApiVersion } from '../../src/types/stages.ts';
import { startCagedPlayground } from '../canary.ts';
import { configMap, serviceAccount, toy, toyDefinition, withMetadata } from '../objects.ts';
import { removeStageSets, sharedPlayground, showLog } from '../playground.ts';
import { TestNamespace } from '../test-namespace.ts';
import { loseInventory } from './inventories.ts';

const rbac = 'rbac.authorization.k8s.io/v1';

function clusterRole(name: string): KubernetesObject {
  return { apiVersion: rbac, kind: 'ClusterRole', metadata: { name }, rules: [] };
}

describe('deleting a StageSet whose inventories nobody has or remembers', () => {
  let playground: Playground;
  let controller: ControllerProcess | undefined;

  before(async () => {
    playground = await sharedPlayground();
  });

  beforeEach(async () => {
    controller = await playground.startController({ flags: ['--log-level=debug'] });
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') showLog(controller);
    await controller?.stop();
    await removeStageSets(playground);
  });

  /** Loses the inventories and has the StageSet deleted while no controller runs. */
  async function loseAndDelete(shop: TestNamespace, ...stages: string[]): Promise<void> {
    await controller?.stop();
    for (const stage of stages) await loseInventory(shop, stage);
    await shop.deleteStageSet();
    controller = await playground.startController({ flags: ['--log-level=debug'] });
  }

  it('finds its objects by their labels, in all namespaces and of all kinds', async () => {
    const shop = await TestNamespace.create(playground);
    const elsewhere = await TestNamespace.create(playground);
    const role = clusterRole(`${shop.name}-role`);
    await shop.publish('definition', 'v1', [toyDefinition('Ball'), role]);
    await shop.publish('toys', 'v1', [
      toy('Ball', 'red'),
      configMap('web'),
      withMetadata(configMap('far'), { namespace: elsewhere.name }),
    ]);
    await shop.createStageSet(['definition', 'toys']);
    await shop.untilReady('v1');
    await loseAndDelete(shop, 'definition', 'toys');
    await shop.untilStageSetGone();
    expect(await shop.configMapNames()).to.deep.equal([]);
    expect(await elsewhere.find(configMap('far'))).to.equal(undefined);
    for (const [apiVersion, kind, name] of [
      [rbac, 'ClusterRole', role.metadata.name],
      ['apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'balls.toys.example.com'],
    ] as const) {
      expect(await shop.client.find({ apiVersion, kind, name }, shop.call)).to.equal(undefined);
    }
    expect(await shop.eventReasons()).not.to.include('TeardownForced');
    expect((await shop.untilEvent('InventoryReconstructed'))['note']).to.include(
      'the objects to delete were looked for by their labels: found are stage(s) ',
    );
  });

  it('keeps what is not its own, what opted out, and stages with prune: false', async () => {
    const shop = await TestNamespace.create(playground);
    const annotations = { 'stages.metio.wtf/prune': 'DISABLED' };
    await shop.publish('one', 'v1', [
      configMap('one'),
      withMetadata(configMap('opted-out'), { annotations }),
    ]);
    await shop.publish('two', 'v1', [configMap('two')]);
    await shop.createStageSet(['one', { name: 'two', prune: false }]);
    await shop.untilReady('v1');
    await shop.create(configMap('bystander'));
    await loseAndDelete(shop, 'one', 'two');
    await shop.untilStageSetGone();
    expect(await shop.configMapNames()).to.deep.equal(['opted-out', 'two']);
    expect(await shop.find(configMap('bystander'))).not.to.equal(undefined);
  });

  it('attack 68: a teardown that reaches into other namespaces (it acts as the accounts of the stages, part A 2.10)', async () => {
    const shop = await TestNamespace.create(playground);
    for (const [account, resource] of [
      ['for-config', 'configmaps'],
      ['for-secrets', 'secrets'],
    ] as const) {
      const metadata = { name: account };
      const rules = [{ apiGroups: [''], resources: [resource], verbs: ['*'] }];
      const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: account };
      const subjects = [{ kind: 'ServiceAccount', name: account, namespace: shop.name }];
      await shop.create(serviceAccount(account));
      await shop.create({ apiVersion: rbac, kind: 'Role', metadata, rules });
      await shop.create({ apiVersion: rbac, kind: 'RoleBinding', metadata, roleRef, subjects });
    }
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key' } };
    await shop.publish('one', 'v1', [configMap('one')]);
    await shop.publish('two', 'v1', [secret]);
    await shop.createStageSet([
      { name: 'one', serviceAccountName: 'for-config' },
      { name: 'two', serviceAccountName: 'for-secrets' },
    ]);
    await shop.untilReady('v1');
    await loseAndDelete(shop, 'one', 'two');
    await shop.untilStageSetGone();
    expect(await shop.configMapNames()).to.deep.equal([]);
    expect(await shop.find(secret)).to.equal(undefined);
  });

  it('attack 67: owner labels forged in a namespace of others (they hold no teardown up, part A 2.10)', async () => {
    const shop = await TestNamespace.create(playground);
    const stranger = await TestNamespace.create(playground);
    const labels = {
      'stages.metio.wtf/name': 'shop',
      'stages.metio.wtf/namespace': shop.name,
      'stages.metio.wtf/stage': 'one',
    };
    const planted = withMetadata(configMap('planted'), { namespace: stranger.name, labels });
    for (const fieldManager of ['kubectl', 'stageset-controller']) {
      await shop.client.apply(planted, { fieldManager, force: true }, shop.call);
    }
    await allowEverywhere(shop, 'deployer', ['get', 'list', 'watch']);
    await allowHere(shop, 'deployer');
    await shop.publish('one', 'v1', [configMap('one')]);
    await shop.createStageSet(['one'], { serviceAccountName: 'deployer' });
    await shop.untilReady('v1');
    await loseAndDelete(shop, 'one');
    await shop.untilStageSetGone();
    expect(await shop.configMapNames()).to.deep.equal([]);
    expect(await stranger.find(configMap('planted'))).not.to.equal(undefined);
    expect(await shop.eventReasons()).not.to.include('TeardownForced');
    expect((await shop.untilEvent('InventoryReconstructed'))['note']).to.include('could not list ');
  });

  /** Grants an account of the namespace some verbs on ConfigMaps in the whole cluster. */
  async function allowEverywhere(
    shop: TestNamespace,
    account: string,
    verbs: readonly string[],
  ): Promise<void> {
    const name = `${shop.name}-${account}`;
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs }];
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name };
    const subjects = [{ kind: 'ServiceAccount', name: account, namespace: shop.name }];
    const metadata = { name };
    await shop.create(serviceAccount(account));
    for (const object of [
      { apiVersion: rbac, kind: 'ClusterRole', metadata, rules },
      { apiVersion: rbac, kind: 'ClusterRoleBinding', metadata, roleRef, subjects },
    ]) {
      await shop.client.create(object, {}, shop.call);
    }
  }

  async function allowHere(shop: TestNamespace, account: string): Promise<void> {
    const metadata = { name: account };
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }];
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: account };
    const subjects = [{ kind: 'ServiceAccount', name: account, namespace: shop.name }];
    await shop.create({ apiVersion: rbac, kind: 'Role', metadata, rules });
    await shop.create({ apiVersion: rbac, kind: 'RoleBinding', metadata, roleRef, subjects });
  }

  it('attack 69: a teardown whose account is gone (edge case 30: its stage is given up at once, and an event says so, part A 2.10)', async () => {
    const shop = await TestNamespace.create(playground);
    await shop.publish('one', 'v1', [configMap('one')]);
    await shop.publish('two', 'v1', [configMap('two')]);
    await shop.createStageSet(['one', 'two']);
    await shop.untilReady('v1');
    await shop.changeStages(['one', { name: 'two', serviceAccountName: 'ghost' }]);
    await shop.untilReason('StageFailed');
    await loseAndDelete(shop, 'one', 'two');
    await shop.untilStageSetGone();
    expect(await shop.configMapNames()).to.deep.equal(['two']);
    expect((await shop.untilEvent('TeardownForced'))['note']).to.include('unauthorized');
  });
});

describe('garbage collection', () => {
  let playground: Playground;
  let controller: ControllerProcess;

  before('start a cluster of its own, with a controller manager', async () => {
    playground = await startCagedPlayground({ name: 'collected', controllerManager: 'with' });
    controller = await playground.startController({ flags: ['--log-level=debug'] });
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') showLog(controller);
  });

  after(async () => {
    await playground.stop();
  });

  it('in the foreground takes inventories first, and still leaves nothing behind', async () => {
    const shop = await TestNamespace.create(playground);
    const finalizers = ['example.com/hold'];
    await shop.publish('one', 'v1', [configMap('one')]);
    await shop.publish('two', 'v1', [withMetadata(configMap('two'), { finalizers })]);
    await shop.createStageSet(['one', 'two']);
    await shop.untilReady('v1');
    const { code, stderr } = await playground.cluster.kubectl([
      ...['delete', 'stageset', '--all', '-n', shop.name, '--wait=false'],
      '--cascade=foreground',
    ]);
    expect(code, stderr).to.equal(0);
    const kind = { apiVersion: stagesApiVersion, kind: 'StageInventory' };
    await shop.untilCollection(kind, (seen) => seen.size === 0);
    await shop.patch(configMap('two'), { metadata: { finalizers: null } });
    await shop.untilStageSetGone();
    expect(await shop.configMapNames()).to.deep.equal([]);
  });

  it('of a namespace takes the accounts, the roles and the StageSet, and ends', async () => {
    const shop = await TestNamespace.create(playground);
    const metadata = { name: 'deployer' };
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'admin' };
    const subjects = [{ kind: 'ServiceAccount', name: 'deployer', namespace: shop.name }];
    await shop.create(serviceAccount('deployer'));
    await shop.create({ apiVersion: rbac, kind: 'RoleBinding', metadata, roleRef, subjects });
    await shop.publish('one', 'v1', [configMap('one')]);
    await shop.publish('two', 'v1', [configMap('two'), serviceAccount('robot')]);
    await shop.createStageSet(['one', 'two'], { serviceAccountName: 'deployer' });
    await shop.untilReady('v1');
    const { code, stderr } = await playground.cluster.kubectl([
      ...['delete', 'namespace', shop.name, '--timeout=50s'],
    ]);
    expect(code, stderr).to.equal(0);
  });
});
