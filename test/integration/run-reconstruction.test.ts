import { expect } from 'chai';
import type { ControllerProcess } from '../../dev/controller-process.ts';
import type { Playground } from '../../dev/playground.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { configMap, deployment, serviceAccount, withMetadata } from '../objects.ts';
import { removeStageSets, sharedPlayground, showLog } from '../playground.ts';
import { TestNamespace } from '../test-namespace.ts';
import { loseInventory, shardsOf } from './inventories.ts';

const secret = (name: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  stringData: { key: 'value' },
});

describe('an inventory that is lost while the controller is down', () => {
  let playground: Playground;
  let controller: ControllerProcess | undefined;
  const flags = ['--log-level=debug', '--inventory-shard-cap=2'];

  before(async () => {
    playground = await sharedPlayground();
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') showLog(controller);
    await controller?.stop();
    controller = undefined;
    await removeStageSets(playground);
  });

  /** Runs `change` while no controller runs, so that nobody remembers what was before. */
  async function whileDown(change: () => Promise<void>): Promise<void> {
    await controller?.stop();
    await change();
    controller = await playground.startController({ flags });
  }

  async function begin(
    sources: Readonly<Record<string, readonly KubernetesObject[]>>,
    spec: Record<string, unknown> = {},
  ): Promise<TestNamespace> {
    controller = await playground.startController({ flags });
    const shop = await TestNamespace.create(playground);
    for (const [source, objects] of Object.entries(sources)) {
      await shop.publish(source, 'v1', objects);
    }
    await shop.createStageSet(Object.keys(sources), spec);
    await shop.untilReady('v1');
    return shop;
  }

  async function runAgain(shop: TestNamespace, token = 'again'): Promise<void> {
    await shop.request(token);
    await shop.untilStageSet(({ status }) => status?.lastHandledReconcileAt === token);
    await shop.untilReady();
  }

  it('is rebuilt from labels, prunes nothing in that pass, and prunes normally in the next', async () => {
    const shop = await begin({ app: [configMap('dropped'), configMap('kept')] });
    await whileDown(async () => {
      await loseInventory(shop, 'app');
      await shop.publish('app', 'v2', [configMap('kept'), configMap('new')]);
    });
    await shop.untilReady('v2');
    const names = ['dropped', 'kept', 'new'];
    expect(await shop.configMapNames()).to.deep.equal(names);
    expect(await shop.inventories()).to.deep.equal({
      app: names.map((name) => `${shop.name}_${name}__ConfigMap`),
    });
    const { type, note } = await shop.untilEvent('InventoryReconstructed');
    expect([type, note]).to.deep.equal([
      'Warning',
      'Reconstructed the lost inventory of stage(s) app from the labels of their objects; ' +
        'nothing was pruned in this pass',
    ]);
    await runAgain(shop);
    expect(await shop.configMapNames()).to.deep.equal(['kept', 'new']);
    expect(await shop.inventories()).to.deep.equal({
      app: ['kept', 'new'].map((name) => `${shop.name}_${name}__ConfigMap`),
    });
  });

  it('defers all other pruning and the teardown of removed stages as well', async () => {
    const shop = await begin({
      app: [configMap('app')],
      other: [configMap('other'), configMap('other-dropped')],
      removed: [configMap('removed')],
    });
    await whileDown(async () => {
      await loseInventory(shop, 'app');
      await shop.publish('other', 'v2', [configMap('other')]);
      await shop.changeStages(['app', 'other']);
    });
    await shop.untilEvent('InventoryReconstructed');
    await shop.untilReady();
    expect(await shop.configMapNames()).to.deep.equal(['app', 'other', 'other-dropped', 'removed']);
    await runAgain(shop);
    expect(await shop.configMapNames()).to.deep.equal(['app', 'other']);
    expect(await shop.inventories()).to.have.all.keys('app', 'other');
  });

  it('[gap] is rebuilt also for kinds that are no longer rendered, where any record names them', async () => {
    const shop = await begin({
      app: [configMap('app'), secret('dropped')],
      other: [secret('other')],
    });
    await whileDown(async () => {
      await loseInventory(shop, 'app');
      await shop.publish('app', 'v2', [configMap('app')]);
    });
    await shop.untilEvent('InventoryReconstructed');
    await shop.untilReady();
    expect(await shop.find(secret('dropped'))).not.to.equal(undefined);
    await runAgain(shop);
    expect(await shop.find(secret('dropped'))).to.equal(undefined);
    expect(await shop.find(secret('other'))).not.to.equal(undefined);
  });

  it('is rebuilt with a part of it that is left: one shard of several', async () => {
    const shop = await begin({
      app: [configMap('a'), configMap('b'), configMap('c'), secret('d'), secret('e')],
    });
    const shards = await shardsOf(shop, 'app');
    expect(shards).to.have.lengthOf(3);
    await whileDown(async () => {
      const lost = shards[1];
      if (lost !== undefined) await shop.delete(lost);
      await shop.publish('app', 'v2', [configMap('a')]);
    });
    await shop.untilEvent('InventoryReconstructed');
    await shop.untilReady('v2');
    expect(await shop.inventories()).to.have.nested.property('app.length', 5);
    await runAgain(shop);
    expect(await shop.configMapNames()).to.deep.equal(['a']);
    expect(await shop.find(secret('d'))).to.equal(undefined);
    expect(await shop.find(secret('e'))).to.equal(undefined);
  });

  it('is rebuilt when its last shard of several is gone, as the status tells', async () => {
    const shop = await begin({ app: [configMap('a'), configMap('b'), configMap('c')] });
    expect((await shop.untilReady()).status?.stages?.[0]).to.include({
      entriesCount: 3,
      shards: 2,
    });
    await whileDown(async () => {
      const lost = (await shardsOf(shop, 'app')).at(-1);
      if (lost !== undefined) await shop.delete(lost);
      await shop.publish('app', 'v2', [configMap('a')]);
    });
    await shop.untilEvent('InventoryReconstructed');
    await shop.untilReady('v2');
    await runAgain(shop);
    expect(await shop.configMapNames()).to.deep.equal(['a']);
  });

  it('is not taken for lost when a larger cap packs it into fewer shards', async () => {
    const shop = await begin({ app: [configMap('a'), configMap('b'), configMap('c')] });
    await controller?.stop();
    controller = await playground.startController({ flags: ['--inventory-shard-cap=100'] });
    await runAgain(shop);
    expect(await shardsOf(shop, 'app')).to.have.lengthOf(1);
    expect((await shop.untilReady()).status?.stages?.[0]).to.include({ entriesCount: 3 });
    expect(await shop.eventReasons()).not.to.include('InventoryReconstructed');
  });

  it('says which kinds it could not list, and goes on', async () => {
    controller = await playground.startController({ flags });
    const shop = await TestNamespace.create(playground);
    await shop.create(serviceAccount('deployer'));
    await grant(shop, 'deployer', {
      configmaps: ['get', 'list', 'create', 'patch', 'delete'],
      secrets: ['get', 'create', 'patch', 'delete'],
    });
    await shop.publish('app', 'v1', [configMap('dropped'), configMap('kept'), secret('key')]);
    await shop.createStageSet(['app'], { serviceAccountName: 'deployer' });
    await shop.untilReady('v1');
    await whileDown(async () => {
      await loseInventory(shop, 'app');
      await shop.publish('app', 'v2', [configMap('kept'), secret('key')]);
    });
    const { note } = await shop.untilEvent('InventoryReconstructed');
    expect(note).to.match(/; incomplete: app \(could not list Secret\)$/);
    await runAgain(shop);
    expect(await shop.configMapNames()).to.deep.equal(['kept']);
  });

  it('comes back from a backup that leaves out owner references', async () => {
    const shop = await begin({ app: [configMap('dropped'), configMap('kept')] });
    const saved = await shardsOf(shop, 'app');
    await whileDown(async () => {
      await loseInventory(shop, 'app');
      for (const { apiVersion, kind, metadata, ...rest } of saved) {
        const { name, labels = {} } = metadata;
        await shop.create({ apiVersion, kind, ...rest, metadata: { name, labels } });
      }
      await shop.publish('app', 'v2', [configMap('kept')]);
    });
    await shop.untilReady('v2');
    expect(await shop.configMapNames()).to.deep.equal(['kept']);
    expect(await shop.eventReasons()).not.to.include('InventoryReconstructed');
    const [shard] = await shardsOf(shop, 'app');
    expect(shard?.metadata.ownerReferences?.[0]).to.include({ kind: 'StageSet', controller: true });
  });

  it('attack 39: owner labels forged on a foreign object (labels that were copied do not have it pruned, part A 5.9)', async () => {
    const shop = await begin({ app: [configMap('kept')] });
    const labels = {
      'stages.metio.wtf/name': 'shop',
      'stages.metio.wtf/namespace': shop.name,
      'stages.metio.wtf/stage': 'app',
    };
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'kept', controller: true };
    const kept = await shop.find(configMap('kept'));
    const uid = kept?.metadata.uid ?? '';
    await shop.create(
      withMetadata(configMap('copy'), { labels, ownerReferences: [{ ...owner, uid }] }),
    );
    await shop.create(
      withMetadata(configMap('foreign'), {
        labels: { ...labels, 'stages.metio.wtf/name': 'other' },
      }),
    );
    await whileDown(async () => await loseInventory(shop, 'app'));
    await shop.untilEvent('InventoryReconstructed');
    await runAgain(shop);
    expect(await shop.inventories()).to.deep.equal({ app: [`${shop.name}_kept__ConfigMap`] });
    expect(await shop.find(configMap('copy'))).not.to.equal(undefined);
    expect(await shop.find(configMap('foreign'))).not.to.equal(undefined);
  });

  it('does not end what a stage behind it failed at', async () => {
    const shop = await begin({
      app: [configMap('dropped'), configMap('kept')],
      two: [configMap('two')],
    });
    await whileDown(async () => {
      await loseInventory(shop, 'app');
      await shop.publish('two', 'v2', [deployment('web')]);
      await shop.publish('app', 'v2', [configMap('kept')]);
    });
    await shop.reportDeployment('web', 'Stuck');
    await shop.untilReason('StageFailed');
    await shop.untilEvent('InventoryReconstructed');
    expect(await shop.configMapNames()).to.deep.equal(['dropped', 'kept', 'two']);
    await shop.reportDeployment('web', 'Available');
    await shop.untilReady('v2');
    expect(await shop.configMapNames()).to.deep.equal(['kept']);
  });
});

/** Lets a ServiceAccount do this with resources of the core group, in its namespace. */
async function grant(
  shop: TestNamespace,
  account: string,
  resources: Readonly<Record<string, readonly string[]>>,
): Promise<void> {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const metadata = { name: account };
  const rules = Object.entries(resources).map(([resource, verbs]) => ({
    apiGroups: [''],
    resources: [resource],
    verbs,
  }));
  await shop.create({ apiVersion, kind: 'Role', metadata, rules });
  await shop.create({
    apiVersion,
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: account },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace: shop.name }],
  });
}
