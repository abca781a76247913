import { expect } from 'chai';
import { configMap, deployment } from '../objects.ts';
import { useController } from '../playground.ts';
import { afterLooks } from '../reconciles.ts';
import { phasesOf, readyOf, type TestNamespace } from '../test-namespace.ts';
import { happenedBefore } from '../watching.ts';

describe('while a stage is waited for', () => {
  const stand = useController();

  async function begin(): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await shop.publish('backend', 'v1', [deployment('backend')]);
    await shop.publish('frontend', 'v1', [configMap('frontend')]);
    await shop.createStageSet(['backend', 'frontend']);
    await shop.untilPhase('backend', 'Verifying');
    return shop;
  }

  it('a newer revision waits until that stage is done', async () => {
    const shop = await begin();
    await afterLooks(stand.controller, 2, async () => {
      await shop.publish('backend', 'v2', [deployment('backend'), configMap('backend')]);
    });
    expect(await shop.configMapNames()).to.deep.equal([]);

    const ready = await shop.reportDeployment('backend', 'Available');
    await shop.untilStageSet(({ status }) => status?.stages?.[0]?.appliedRevision === 'v2');
    const next = await shop.untilObject(configMap('backend'));
    expect(happenedBefore(ready, next)).to.equal(true);
    const { status } = await shop.untilReady();
    // The second stage was never entered with the old revision of the first one.
    expect(happenedBefore(next, await shop.untilObject(configMap('frontend')))).to.equal(true);
    expect(status?.lastAppliedRevisions).to.deep.equal({
      [`${shop.name}/backend`]: 'v2',
      [`${shop.name}/frontend`]: 'v1',
    });
  });

  it('a forced reconcile takes up the newer revision at once', async () => {
    const shop = await begin();
    await shop.publish('backend', 'v2', [configMap('backend')]);
    await shop.request('now');
    const { status } = await shop.untilReady();
    expect(status?.lastHandledReconcileAt).to.equal('now');
    expect(status?.stages?.map(({ appliedRevision }) => appliedRevision)).to.deep.equal([
      'v2',
      'v1',
    ]);
    expect(await shop.owned('apps/v1', 'Deployment')).to.deep.equal([]);
  });

  it('a change of the spec waits until that stage is done', async () => {
    const shop = await begin();
    await shop.publish('cache', 'v1', [configMap('cache')]);
    await afterLooks(stand.controller, 2, async () => {
      await shop.changeStages(['cache', 'backend', 'frontend']);
    });
    expect(await shop.configMapNames()).to.deep.equal([]);
    await shop.reportDeployment('backend', 'Available');
    const { status } = await shop.untilReady('v1');
    expect(status?.stages?.map(({ name }) => name)).to.deep.equal(['cache', 'backend', 'frontend']);
  });

  it('that stage can leave the spec', async () => {
    const shop = await begin();
    await shop.changeStages(['frontend']);
    await shop.request('now');
    await shop.untilReady('v1');
    expect(await shop.configMapNames()).to.deep.equal(['frontend']);
    expect(await shop.owned('apps/v1', 'Deployment')).to.deep.equal([]);
  });

  it('the last stage can leave the spec', async () => {
    const shop = await stand.namespace();
    await shop.publish('frontend', 'v1', [configMap('frontend')]);
    await shop.publish('backend', 'v1', [deployment('backend')]);
    await shop.createStageSet(['frontend', 'backend']);
    await shop.untilPhase('backend', 'Verifying');
    await afterLooks(stand.controller, 2, async () => {
      await shop.changeStages(['frontend']);
    });
    await shop.reportDeployment('backend', 'Available');
    await shop.untilReady('v1');
    expect(await shop.owned('apps/v1', 'Deployment')).to.deep.equal([]);
  });

  it('stages can change places', async () => {
    const shop = await begin();
    await shop.changeStages(['frontend', 'backend']);
    const backend = await shop.reportDeployment('backend', 'Available');
    const { status } = await shop.untilReady('v1');
    expect(status?.stages?.map(({ name }) => name)).to.deep.equal(['frontend', 'backend']);
    expect(await shop.configMapNames()).to.deep.equal(['frontend']);
    const [after] = await shop.owned('apps/v1', 'Deployment');
    expect(after?.metadata.uid).to.equal(backend.metadata.uid);
  });

  it('suspension ends the wait, and resuming goes on', async () => {
    const shop = await begin();
    await shop.changeSpec({ suspend: true });
    await shop.untilReason('Suspended');
    await shop.reportDeployment('backend', 'Available');
    expect(await shop.configMapNames()).to.deep.equal([]);
    await shop.changeSpec({ suspend: false });
    expect(phasesOf(await shop.untilReady('v1'))).to.deep.equal(['Ready', 'Ready']);
  });
});

describe('a StageSet that is ready', () => {
  const stand = useController();

  async function ready(spec: Record<string, unknown> = {}): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('web', { colour: 'green' }), configMap('other')]);
    await shop.createStageSet(['app'], spec);
    await shop.untilReady('v1');
    return shop;
  }

  it('applies nothing while it is suspended', async () => {
    const shop = await ready();
    await shop.changeSpec({ suspend: true });
    expect(await shop.untilReason('Suspended')).to.equal(
      'Suspended: set spec.suspend to false to resume',
    );
    await afterLooks(stand.controller, 1, async () => {
      await shop.publish('app', 'v2', [configMap('next')]);
    });
    await afterLooks(stand.controller, 1, async () => {
      await shop.request('while suspended');
    });
    expect(await shop.configMapNames()).to.deep.equal(['other', 'web']);

    await shop.changeSpec({ suspend: false });
    const { status } = await shop.untilReady('v2');
    expect(await shop.configMapNames()).to.deep.equal(['next']);
    expect(status?.lastHandledReconcileAt).to.equal('while suspended');
  });

  it('answers a requested reconcile and corrects what somebody changed', async () => {
    const shop = await ready();
    await shop.patch(configMap('web'), { data: { colour: 'red' } });
    await shop.request('please');
    await shop.untilStageSet(({ status }) => status?.lastHandledReconcileAt === 'please');
    await shop.untilObject(
      configMap('web'),
      ({ data }) => JSON.stringify(data) === '{"colour":"green"}',
    );
  });

  for (const spec of [
    { interval: '1s' },
    { interval: '1h', driftDetectionInterval: '1s' },
  ] as const) {
    it(`corrects drift by itself with ${JSON.stringify(spec)}`, async () => {
      const shop = await ready(spec);
      const before = readyOf(await shop.untilReady('v1'));
      await shop.patch(configMap('web'), { data: { colour: 'red' } });
      await shop.delete(configMap('other'));
      await shop.untilObject(configMap('other'));
      await shop.untilObject(
        configMap('web'),
        ({ data }) => JSON.stringify(data) === '{"colour":"green"}',
      );
      const { type, note } = await shop.untilEvent('DriftCorrected');
      expect(type).to.equal('Warning');
      expect(note).to.match(
        new RegExp(
          `^Corrected drift of [12] object\\(s\\) in stage app: .*${shop.name}/(web|other)`,
        ),
      );
      expect(readyOf(await shop.untilReady('v1'))).to.deep.equal(before);
    });
  }

  it('leaves fields alone that others manage', async () => {
    const shop = await ready();
    await shop.patch(configMap('web'), { data: { 'added-by-hand': 'stays' } });
    await shop.request('please');
    await shop.untilStageSet(({ status }) => status?.lastHandledReconcileAt === 'please');
    expect((await shop.find(configMap('web')))?.['data']).to.deep.equal({
      'added-by-hand': 'stays',
      colour: 'green',
    });
  });

  it('recovers an inventory that somebody deleted', async () => {
    const shop = await ready();
    const kind = { apiVersion: 'stages.metio.wtf/v1', kind: 'StageInventory' };
    const inventories = await shop.untilCollection(kind, (seen) => seen.size === 1);
    for (const inventory of inventories.values()) await shop.delete(inventory);
    await shop.untilCollection(kind, (seen) => seen.size === 1);
    expect(await shop.inventories()).to.deep.equal({
      app: [`${shop.name}_other__ConfigMap`, `${shop.name}_web__ConfigMap`],
    });
  });
});
