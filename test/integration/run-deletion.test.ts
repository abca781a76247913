import { expect } from 'chai';
import { stagesApiVersion } from '../../src/types/stages.ts';
import { metricSum } from '../metrics.ts';
import {
  configMap,
  deployment,
  serviceAccount,
  toy,
  toyDefinition,
  withMetadata,
} from '../objects.ts';
import { useController } from '../playground.ts';
import { afterLooks } from '../reconciles.ts';
import type { TestNamespace } from '../test-namespace.ts';

const configMapKind = { apiVersion: 'v1', kind: 'ConfigMap' };
const hold = { finalizers: ['example.com/hold'] };

/** Names of the ConfigMaps as they vanish, until all are gone; watched from `watching` on. */
function vanishing(shop: TestNamespace): { watching: Promise<void>; order: Promise<string[]> } {
  const gone: string[] = [];
  let begun: () => void = () => undefined;
  const watching = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const judge = (seen: ReadonlyMap<string, unknown>): boolean => {
    begun();
    return seen.size === 0;
  };
  const onEvent = (type: string, { metadata }: { metadata: { name: string } }): void => {
    if (type === 'Deleted') gone.push(metadata.name);
  };
  const order = shop.untilCollection(configMapKind, judge, { onEvent }).then(() => gone);
  return { watching, order };
}

/** Lets a ServiceAccount do anything with ConfigMaps of its namespace. */
async function grantAll(shop: TestNamespace, account: string): Promise<void> {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const metadata = { name: account };
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: account };
  const subjects = [{ kind: 'ServiceAccount', name: account, namespace: shop.name }];
  await shop.create({ apiVersion, kind: 'Role', metadata, rules });
  await shop.create({ apiVersion, kind: 'RoleBinding', metadata, roleRef, subjects });
}

describe('deleting a StageSet', () => {
  const stand = useController();

  it('takes its stages down in reverse order', async () => {
    const shop = await stand.namespace();
    for (const stage of ['one', 'two', 'three']) {
      await shop.publish(stage, 'v1', [configMap(stage)]);
    }
    await shop.createStageSet(['one', 'two', 'three']);
    await shop.untilReady('v1');
    const { watching, order } = vanishing(shop);
    await watching;
    await shop.deleteStageSet();
    expect(await order).to.deep.equal(['three', 'two', 'one']);
    await shop.untilStageSetGone();
  });

  it('waits for a later stage to be gone before it touches an earlier one', async () => {
    const shop = await stand.namespace();
    await shop.publish('one', 'v1', [configMap('one')]);
    await shop.publish('two', 'v1', [withMetadata(configMap('two'), hold)]);
    await shop.createStageSet(['one', 'two']);
    await shop.untilReady('v1');
    await afterLooks(stand.controller, 3, async () => {
      await shop.deleteStageSet();
      await shop.untilObject(configMap('two'), ({ metadata }) => 'deletionTimestamp' in metadata);
    });
    expect((await shop.find(configMap('one')))?.metadata).not.to.have.property('deletionTimestamp');
    const { watching, order } = vanishing(shop);
    await watching;
    await shop.patch(configMap('two'), { metadata: { finalizers: null } });
    expect(await order).to.deep.equal(['two', 'one']);
    await shop.untilStageSetGone();
  });

  it('still knows what to delete when its inventories are taken first, as by a garbage collector', async () => {
    const shop = await stand.namespace();
    await shop.publish('one', 'v1', [configMap('one')]);
    await shop.createStageSet(['one'], { suspend: false });
    await shop.untilReady('v1');
    const { client } = stand.playground;
    const kind = { apiVersion: stagesApiVersion, kind: 'StageInventory' };
    const { items } = await client.list({ ...kind, namespace: shop.name }, shop.call);
    expect(items).to.have.lengthOf(1);
    // Suspended, so that nobody writes the record again before the StageSet goes.
    await shop.changeSpec({ suspend: true });
    await shop.untilReason('Suspended');
    for (const { metadata } of items) await shop.delete({ ...kind, metadata });
    await shop.deleteStageSet();
    await shop.untilStageSetGone();
    expect(await shop.configMapNames()).to.deep.equal([]);
  });

  it('interrupts a wait for a stage that never becomes ready', async () => {
    const shop = await stand.namespace();
    await shop.publish('one', 'v1', [configMap('one')]);
    await shop.publish('two', 'v1', [deployment('web')]);
    await shop.createStageSet(['one', 'two']);
    await shop.untilPhase('two', 'Verifying');
    await shop.deleteStageSet();
    await shop.untilStageSetGone({ within: 5_000 });
    expect(await shop.configMapNames()).to.deep.equal([]);
    expect(await shop.owned('apps/v1', 'Deployment')).to.deep.equal([]);
  });

  it('interrupts a wait for a Namespace that others are to live in', async () => {
    const shop = await stand.namespace();
    const metadata = { name: `${shop.name}-going` };
    const going = { apiVersion: 'v1', kind: 'Namespace', metadata };
    await shop.client.create(going, {}, shop.call);
    // It stays in termination: no controller manager runs here that would finish it.
    await shop.client.delete({ ...going, name: metadata.name }, {}, shop.call);
    const annotations = { 'stages.metio.wtf/prune': 'disabled' };
    await shop.publish('app', 'v1', [withMetadata(going, { annotations }), configMap('web')]);
    await shop.createStageSet(['app']);
    await shop.untilPhase('app', 'Applying');
    expect(await shop.configMapNames()).to.deep.equal([]);
    await shop.deleteStageSet();
    await shop.untilStageSetGone({ within: 5_000 });
  });

  it('takes down what is suspended, too', async () => {
    const shop = await stand.namespace();
    await shop.publish('one', 'v1', [configMap('one')]);
    await shop.createStageSet(['one']);
    await shop.untilReady('v1');
    await shop.changeSpec({ suspend: true });
    await shop.untilReason('Suspended');
    await shop.deleteStageSet();
    await shop.untilStageSetGone();
    expect(await shop.configMapNames()).to.deep.equal([]);
  });

  it('needs no source any more', async () => {
    const shop = await stand.namespace();
    await shop.publish('one', 'v1', [configMap('one')]);
    await shop.createStageSet(['one']);
    await shop.untilReady('v1');
    await shop.delete({
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'ExternalArtifact',
      metadata: { name: 'one' },
    });
    await shop.deleteStageSet();
    await shop.untilStageSetGone();
    expect(await shop.configMapNames()).to.deep.equal([]);
  });

  it('takes down a stage that left the spec while it was suspended, and that had prune: false', async () => {
    const shop = await stand.namespace();
    await shop.publish('one', 'v1', [configMap('one')]);
    await shop.publish('two', 'v1', [configMap('two')]);
    await shop.createStageSet(['one', { name: 'two', prune: false }]);
    await shop.untilReady('v1');
    await shop.changeSpec({ suspend: true });
    await shop.changeStages(['one']);
    await shop.deleteStageSet();
    await shop.untilStageSetGone();
    expect(await shop.configMapNames()).to.deep.equal([]);
  });

  it('[edge case 21] leaves what another StageSet has taken over, when it is torn down (part A 11)', async () => {
    const shop = await stand.namespace();
    await shop.publish('one', 'v1', [configMap('adopted'), configMap('one')]);
    await shop.createStageSet(['one']);
    await shop.untilReady('v1');
    await shop.changeSpec({ suspend: true });
    const labels = { 'stages.metio.wtf/name': 'another' };
    await shop.patch(configMap('adopted'), { metadata: { labels } });
    await shop.deleteStageSet();
    await shop.untilStageSetGone();
    expect(await shop.find(configMap('adopted'))).not.to.equal(undefined);
    expect(await shop.find(configMap('one'))).to.equal(undefined);
  });

  it('leaves the objects of a stage with prune: false, and those that opted out', async () => {
    const shop = await stand.namespace();
    const annotations = { 'stages.metio.wtf/prune': 'disabled' };
    await shop.publish('one', 'v1', [
      configMap('one'),
      withMetadata(configMap('opted-out'), { annotations }),
    ]);
    await shop.publish('two', 'v1', [configMap('two')]);
    await shop.createStageSet(['one', { name: 'two', prune: false }]);
    await shop.untilReady('v1');
    await shop.deleteStageSet();
    await shop.untilStageSetGone();
    expect(await shop.configMapNames()).to.deep.equal(['opted-out', 'two']);
  });

  it('takes down what a failed revision left behind', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('old')]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    await shop.publish('app', 'v2', [configMap('new'), deployment('web')]);
    await shop.reportDeployment('web', 'Stuck');
    await shop.untilReason('StageFailed');
    expect(await shop.configMapNames()).to.deep.equal(['new', 'old']);
    await shop.deleteStageSet();
    await shop.untilStageSetGone();
    expect(await shop.configMapNames()).to.deep.equal([]);
    expect(await shop.owned('apps/v1', 'Deployment')).to.deep.equal([]);
  });

  it('is not held up by a resource whose definition is gone', async () => {
    const shop = await stand.namespace();
    await shop.publish('definition', 'v1', [toyDefinition('Kite')]);
    await shop.publish('toys', 'v1', [toy('Kite', 'red'), configMap('string')]);
    await shop.createStageSet(['definition', 'toys']);
    await shop.untilReady('v1');
    const { code } = await shop.playground.cluster.kubectl([
      ...['delete', 'crd', 'kites.toys.example.com', '--timeout=20s'],
    ]);
    expect(code).to.equal(0);
    await shop.deleteStageSet();
    await shop.untilStageSetGone();
    expect(await shop.configMapNames()).to.deep.equal([]);
  });

  it('[edge case 30] gives up and says so when the account may not delete (part A 11)', async () => {
    const shop = await stand.namespace();
    await shop.create(serviceAccount('reader'));
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    await shop.changeSpec({ suspend: true, serviceAccountName: 'reader' });
    await shop.deleteStageSet();
    // A refusal must last for half a minute.
    expect(await shop.untilReason('RBACDenied')).to.match(/^Teardown: .* cannot get resource/);
    await shop.untilStageSetGone({ within: 60_000 });
    expect(await shop.configMapNames()).to.deep.equal(['web']);
    expect((await shop.untilEvent('TeardownForced'))['note']).to.match(
      new RegExp(`^Gave up the teardown \\(permanent\\).*ConfigMap/${shop.name}/web: `),
    );
  });
});

describe('deleting a StageSet whose account is gone', () => {
  const stand = useController();

  it('[edge case 30] drops the finalizer at once, tells so once, and deletes what other accounts may (part A 11)', async () => {
    const shop = await stand.namespace();
    await shop.create(serviceAccount('ghost'));
    await shop.publish('one', 'v1', [configMap('one')]);
    await shop.publish('two', 'v1', [configMap('two')]);
    await shop.createStageSet(['one', 'two']);
    await shop.untilReady('v1');
    await shop.changeSpec({ suspend: true });
    await shop.untilReason('Suspended');
    await shop.changeStages(['one', { name: 'two', serviceAccountName: 'ghost' }]);
    await shop.delete(serviceAccount('ghost'));
    await shop.deleteStageSet();
    await shop.untilStageSetGone({ within: 10_000 });
    expect(await shop.configMapNames()).to.deep.equal(['two']);
    expect((await shop.untilEvent('TeardownForced'))['note']).to.include(
      `Gave up the teardown (unauthorized), objects may remain: ConfigMap/${shop.name}/two: ` +
        `no token for ServiceAccount ${shop.name}/ghost: it does not exist`,
    );
    expect(
      (await shop.eventReasons()).filter((reason) => reason === 'TeardownForced'),
    ).to.have.lengthOf(1);
    const { metricsUrl } = stand.controller;
    expect(await metricSum(metricsUrl, 'stageset_teardown_force_drop_total', shop.name)).to.equal(
      1,
    );
  });

  it('recovers where the account was deleted and created anew', async () => {
    const shop = await stand.namespace();
    const account = serviceAccount('deployer');
    await shop.create(account);
    await grantAll(shop, 'deployer');
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app'], { serviceAccountName: 'deployer' });
    await shop.untilReady('v1');
    await shop.delete(account);
    await shop.create(account);
    await shop.deleteStageSet();
    await shop.untilStageSetGone();
    expect(await shop.configMapNames()).to.deep.equal([]);
    expect(await shop.eventReasons()).not.to.include('TeardownForced');
  });

  it('recovers where its rights come back within half a minute', async () => {
    const shop = await stand.namespace();
    await shop.create(serviceAccount('deployer'));
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    await shop.changeSpec({ suspend: true, serviceAccountName: 'deployer' });
    await shop.deleteStageSet();
    await shop.untilReason('RBACDenied');
    await grantAll(shop, 'deployer');
    await shop.untilStageSetGone();
    expect(await shop.configMapNames()).to.deep.equal([]);
    expect(await shop.eventReasons()).not.to.include('TeardownForced');
  });
});

describe('deleting a StageSet, with --max-teardown-wait=2s', () => {
  const stand = useController({ flags: ['--max-teardown-wait=2s'] });

  it('deletes the stages behind one that it may not delete before it gives up', async () => {
    const shop = await stand.namespace();
    await shop.create(serviceAccount('reader'));
    for (const name of ['one', 'two', 'three']) await shop.publish(name, 'v1', [configMap(name)]);
    await shop.createStageSet(['one', 'two', 'three']);
    await shop.untilReady('v1');
    await shop.changeSpec({ suspend: true });
    await shop.changeStages(['one', 'two', { name: 'three', serviceAccountName: 'reader' }]);
    await shop.deleteStageSet();
    await shop.untilStageSetGone();
    expect(await shop.configMapNames()).to.deep.equal(['three']);
    expect((await shop.untilEvent('TeardownForced'))['note']).to.match(
      new RegExp(`^Gave up the teardown \\(timed_out\\).*ConfigMap/${shop.name}/three: `),
    );
  });

  it('gives up in the end what finalizers hold', async () => {
    const shop = await stand.namespace();
    await shop.publish('one', 'v1', [withMetadata(configMap('one'), hold)]);
    await shop.createStageSet(['one']);
    await shop.untilReady('v1');
    await shop.deleteStageSet();
    await shop.untilStageSetGone();
    const event = await shop.untilEvent('TeardownForced');
    expect(event).to.include({
      type: 'Warning',
      note: 'Gave up the teardown (timed_out), objects may remain: objects are still terminating',
    });
    await shop.patch(configMap('one'), { metadata: { finalizers: null } });
  });
});
