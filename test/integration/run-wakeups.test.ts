import { expect } from 'chai';
import { pause } from '../../src/kubernetes/wait.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { fieldOf } from '../fields.ts';
import { metricSum } from '../metrics.ts';
import { configMap, toyDefinition } from '../objects.ts';
import { useController } from '../playground.ts';
import type { TestNamespace } from '../test-namespace.ts';

const stageSet = {
  apiVersion: 'stages.metio.wtf/v1',
  kind: 'StageSet',
  metadata: { name: 'shop' },
};

// Every interval here is an hour: whatever the controller looks at, it was woken for.
describe('a StageSet is looked at', () => {
  const stand = useController();

  /** How often it was looked at to the end. */
  async function looks({ name }: TestNamespace): Promise<number> {
    return await metricSum(stand.controller.metricsUrl, 'stageset_reconcile_total', name);
  }

  async function untilLooks(shop: TestNamespace, count: number): Promise<void> {
    await untilLooked(shop, count);
    expect(await looks(shop)).to.equal(count);
  }

  async function untilLooked(shop: TestNamespace, least: number): Promise<void> {
    const signal = AbortSignal.timeout(10_000);
    while ((await looks(shop)) < least) await pause(25, signal);
  }

  async function annotate(shop: TestNamespace, key: string, value: string): Promise<void> {
    await shop.patch(stageSet, { metadata: { annotations: { [key]: value } } });
  }

  async function readyShop(): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('app')]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    return shop;
  }

  /** The count once the first watch on the sources has brought its list, and nothing else comes. */
  async function settledLooks(shop: TestNamespace): Promise<number> {
    for (let before = 0; ; ) {
      const count = await looks(shop);
      if (count > 0 && count === before) return count;
      before = count;
      await pause(250, shop.call.signal);
    }
  }

  it('when one of the annotations that ask for something changes, by itself', async () => {
    const shop = await readyShop();
    const waking = [
      'reconcile.fluxcd.io/requestedAt',
      'stages.metio.wtf/reconcile-stage',
      'stages.metio.wtf/approved-version',
      'stages.metio.wtf/rollback-to',
      'stages.metio.wtf/promote',
      // The three that woke nobody in the reference.
      'stages.metio.wtf/update-now',
      'stages.metio.wtf/budget-override',
      'stages.metio.wtf/reset-scope',
    ];
    for (const key of waking) {
      const before = await settledLooks(shop);
      await annotate(shop, key, 'app@one');
      // A build that takes a moment is looked at once more when it ends.
      await untilLooked(shop, before + 1);
    }
  });

  it('not for other annotations, and not for a change of its status', async () => {
    const shop = await readyShop();
    const before = await settledLooks(shop);
    await annotate(shop, 'example.com/note', 'nothing to see');
    const reference = { ...stageSet, name: 'shop', namespace: shop.name };
    const body = { status: { version: '1.0.0' } };
    await shop.client.patch(reference, { type: 'Merge', body, subresource: 'status' }, shop.call);
    // The watch keeps its order: this comes after both.
    await annotate(shop, 'stages.metio.wtf/promote', 'app@one');
    await untilLooks(shop, before + 1);
  });

  it('when what should produce its artifact changes, though it made no artifact', async () => {
    const shop = await stand.namespace();
    const { cluster } = stand.playground;
    const definition = toyDefinition('Recipe');
    await shop.client.create(definition, {}, shop.call);
    await cluster.kubectl(['wait', '--for=create', `crd/${definition.metadata.name}`]);
    await cluster.kubectl([
      'wait',
      '--for=condition=Established',
      `crd/${definition.metadata.name}`,
    ]);
    const cake: KubernetesObject = {
      apiVersion: 'toys.example.com/v1',
      kind: 'Recipe',
      metadata: { name: 'cake' },
    };
    const { apiVersion, kind } = cake;
    await shop.createStageSet([{ name: 'app', sourceRef: { apiVersion, kind, name: 'cake' } }]);
    await shop.untilReason('ArtifactNotFound');
    const before = await settledLooks(shop);
    await shop.create(cake);
    await untilLooks(shop, before + 1);
    await shop.patch(cake, { status: { conditions: [{ type: 'Ready', status: 'False' }] } });
    await untilLooks(shop, before + 2);
    await shop.delete(cake);
    await untilLooks(shop, before + 3);
    await shop.client.delete(
      { apiVersion: definition.apiVersion, kind: definition.kind, name: definition.metadata.name },
      {},
      shop.call,
    );
  });

  it('when the definition of its source is established, without a restart or a timer', async () => {
    const shop = await stand.namespace();
    const { cluster } = stand.playground;
    const name = 'buckets.source.toolkit.fluxcd.io';
    const reference = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      name,
    };
    const definition = await shop.client.get(reference, shop.call);
    await shop.client.delete(reference, {}, shop.call);
    await cluster.kubectl(['wait', '--for=delete', `crd/${name}`]);
    try {
      const sourceRef = { kind: 'Bucket', name: 'web' };
      await shop.createStageSet([{ name: 'app', sourceRef }]);
      expect(await shop.untilReason('RBACDenied')).to.include('serves no kind Bucket');
    } finally {
      const { labels = {} } = definition.metadata;
      const spec = fieldOf(definition, 'spec');
      const { apiVersion, kind } = reference;
      const fresh = { apiVersion, kind, metadata: { name, labels }, spec };
      await shop.client.create(fresh, {}, shop.call);
      await cluster.kubectl(['wait', '--for=create', `crd/${name}`]);
      await cluster.kubectl(['wait', '--for=condition=Established', `crd/${name}`]);
    }
    // It is looked at again every minute as well, which is not what is waited for here.
    await shop.untilReason('ArtifactNotFound', { within: 15_000 });
    await shop.publish('web', 'v1', [configMap('web')], { kind: 'Bucket' });
    await shop.untilReady('v1', { within: 15_000 });
  });
});
