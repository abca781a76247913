import { expect } from 'chai';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { metricSum } from '../metrics.ts';
import { configMap, configMaps, deployment } from '../objects.ts';
import { useController } from '../playground.ts';
import type { TestNamespace } from '../test-namespace.ts';
import { shardsOf, writeShard } from './inventories.ts';

function role(name: string): KubernetesObject {
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }];
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name }, rules };
}

/** A Deployment's spec that asks for no Pod, which nobody would start here. */
function idle(name: string): Record<string, unknown> {
  return { ...(deployment(name)['spec'] as Record<string, unknown>), replicas: 0 };
}

/** What a shard of the StageSet's stage `app` is labelled with, whatever its number says. */
function labels(shard: string): Record<string, string> {
  return {
    'stages.metio.wtf/stage-set': 'shop',
    'stages.metio.wtf/stage': 'app',
    'stages.metio.wtf/shard': shard,
  };
}

describe('the inventory of a stage', () => {
  const stand = useController({ flags: ['--inventory-shard-cap=2'] });

  async function begin(...objects: KubernetesObject[]): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', objects);
    await shop.createStageSet([{ name: 'app', readyChecks: { disableWait: true } }]);
    await shop.untilReady('v1');
    return shop;
  }

  async function runAgain(shop: TestNamespace): Promise<void> {
    await shop.request('again');
    await shop.untilStageSet(({ status }) => status?.lastHandledReconcileAt === 'again');
    await shop.untilReady();
  }

  it('has as many shards as its objects need, and one when it is empty', async () => {
    const shop = await begin(...configMaps('web', 5));
    expect(await shardsOf(shop, 'app')).to.have.lengthOf(3);
    expect((await shop.untilReady()).status?.stages?.[0]).to.include({
      entriesCount: 5,
      shards: 3,
    });
    await shop.publish('app', 'v2', [configMap('last')]);
    await shop.untilReady('v2');
    const shards = await shardsOf(shop, 'app');
    expect(shards.map(({ metadata }) => metadata.labels?.['stages.metio.wtf/shard'])).to.deep.equal(
      ['0'],
    );
    expect(shards[0]?.metadata.name).to.match(/^shop-app-00-[0-9a-f]{10}$/);
    expect(await shop.inventories()).to.deep.equal({ app: [`${shop.name}_last__ConfigMap`] });
  });

  it('sweeps shards of an older naming scheme and such without a readable number, and keeps what they list', async () => {
    const shop = await begin(configMap('web'));
    await shop.create({
      ...configMap('forgotten'),
      metadata: {
        name: 'forgotten',
        labels: {
          'stages.metio.wtf/name': 'shop',
          'stages.metio.wtf/namespace': shop.name,
          'stages.metio.wtf/stage': 'app',
        },
      },
    });
    const { ownerReferences = [] } = (await shardsOf(shop, 'app'))[0]?.metadata ?? {};
    const entries = [{ id: `${shop.name}_forgotten__ConfigMap`, v: 'v1' }];
    const old = { name: 'shop-app-0', labels: labels('0'), ownerReferences };
    await writeShard(shop, old, { stagePosition: 0, entries });
    const odd = { name: 'shop-app-odd', labels: labels('first'), ownerReferences };
    await writeShard(shop, odd, { stagePosition: 0, entries: [] });
    await runAgain(shop);
    const [shard, ...more] = await shardsOf(shop, 'app');
    expect(shard?.metadata.name).to.match(/^shop-app-00-/);
    expect(more).to.deep.equal([]);
    expect(await shop.find(configMap('forgotten'))).to.equal(undefined);
    expect(await shop.configMapNames()).to.deep.equal(['web']);
  });

  it('counts and logs malformed entries, and takes them out', async () => {
    const shop = await begin(configMap('web'));
    const [shard] = await shardsOf(shop, 'app');
    if (shard === undefined) throw new Error('no shard');
    const skipped = async (): Promise<number> =>
      await metricSum(
        stand.controller.metricsUrl,
        'stageset_inventory_skipped_entries_total',
        shop.name,
      );
    expect(await skipped()).to.equal(0);
    const entries = [
      { id: `${shop.name}_web__ConfigMap`, v: 'v1' },
      { id: 'nonsense', v: 'v1' },
      { id: `${shop.name}___ConfigMap`, v: 'v1' },
    ];
    await shop.patch(shard, { spec: { entries } });
    await shop.untilObject(shard, ({ spec }) => !JSON.stringify(spec).includes('nonsense'));
    expect(await skipped()).to.equal(2);
    const line = stand.controller.log.find(
      (text) => text.includes('malformed inventory entries') && text.includes(shop.name),
    );
    expect(line).to.include('"ids":["nonsense",');
    expect(await shop.inventories()).to.deep.equal({ app: [`${shop.name}_web__ConfigMap`] });
  });

  it('attack 22: a StageInventory that lists foreign objects (only what carries the owner labels is deleted, part A 5.5)', async () => {
    const shop = await begin(configMap('web'));
    await shop.create(configMap('foreign'));
    const [shard] = await shardsOf(shop, 'app');
    if (shard === undefined) throw new Error('no shard');
    const entries = ['foreign', 'web'].map((name) => ({
      id: `${shop.name}_${name}__ConfigMap`,
      v: 'v1',
    }));
    await shop.patch(shard, { spec: { entries } });
    await shop.untilObject(shard, ({ spec }) => !JSON.stringify(spec).includes('foreign'));
    expect(await shop.find(configMap('foreign'))).not.to.equal(undefined);
  });

  it('is put right when somebody takes an entry out, so that its object is still pruned', async () => {
    const shop = await begin(configMap('dropped'), configMap('web'));
    const [shard] = await shardsOf(shop, 'app');
    if (shard === undefined) throw new Error('no shard');
    const entries = [{ id: `${shop.name}_web__ConfigMap`, v: 'v1' }];
    await shop.patch(shard, { spec: { entries } });
    await shop.untilObject(shard, ({ spec }) => JSON.stringify(spec).includes('_dropped_'));
    await shop.publish('app', 'v2', [configMap('web')]);
    await shop.untilReady('v2');
    expect(await shop.configMapNames()).to.deep.equal(['web']);
  });

  it('[gap] prunes names with an underscore', async () => {
    const shop = await begin(role('read_config'), role('system:a_b_c'), role('plain'));
    await shop.publish('app', 'v2', [role('plain')]);
    await shop.untilReady('v2');
    const roles = await shop.owned('rbac.authorization.k8s.io/v1', 'Role');
    expect(roles.map(({ metadata }) => metadata.name)).to.deep.equal(['plain']);
    expect(await shop.inventories()).to.deep.equal({
      app: [`${shop.name}_plain_rbac.authorization.k8s.io_Role`],
    });
  });

  it('accepts a group in the version of an entry', async () => {
    const shop = await begin(configMap('web'), { ...deployment('api'), spec: idle('api') });
    const [shard] = await shardsOf(shop, 'app');
    if (shard === undefined) throw new Error('no shard');
    const entries = [
      { id: `${shop.name}_api_apps_Deployment`, v: 'apps/v1' },
      { id: `${shop.name}_web__ConfigMap`, v: 'v1' },
    ];
    await shop.changeSpec({ suspend: true });
    await shop.untilReason('Suspended');
    await shop.patch(shard, { spec: { entries } });
    await shop.publish('app', 'v2', [configMap('web')]);
    await shop.changeSpec({ suspend: false });
    await shop.untilReady('v2');
    expect(await shop.owned('apps/v1', 'Deployment')).to.deep.equal([]);
  });
});
