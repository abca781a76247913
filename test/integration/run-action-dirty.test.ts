import { expect } from 'chai';
import { pause } from '../../src/kubernetes/wait.ts';
import { stagesApiVersion } from '../../src/types/stages.ts';
import { useActions } from '../action-stand.ts';
import { metricSum } from '../metrics.ts';
import { configMap } from '../objects.ts';
import { readyOf, type TestNamespace } from '../test-namespace.ts';

const ledger = { apiVersion: stagesApiVersion, kind: 'StageLedger', metadata: { name: 'shop' } };

describe('an action of scope Lifetime that may have been done', () => {
  const stand = useActions();

  /** The controller is killed while the other side has the request and does not answer. */
  async function interrupted(): Promise<{ shop: TestNamespace; path: string }> {
    const shop = await stand.namespace();
    const path = `/${shop.name}/seed`;
    stand.receiver.held.add(path);
    const pre = [stand.http(shop, 'seed', { scope: 'Lifetime' })];
    await shop.createStageSet([{ name: 'app', actions: { pre } }]);
    await stand.receiver.untilCalled(path);
    await stand.kill();
    stand.receiver.held.delete(path);
    await stand.start();
    const message = await shop.untilReason('ActionDirty');
    expect(message).to.include('action seed of scope Lifetime was started at');
    expect(message).to.include('nobody knows whether it was done');
    expect(message).to.include('spec.baseline of the StageLedger');
    expect(await shop.configMapNames()).to.deep.equal([]);
    return { shop, path };
  }

  it('is not begun again on its own, whatever happens, and counts as done by the baseline', async () => {
    const { shop, path } = await interrupted();
    await shop.publish('app', 'v2', [configMap('app', { release: 'v2' })]);
    await shop.untilStageSet(({ status }) => status?.stages?.[0]?.ledgerRevision === 'v2');
    expect(stand.receiver.counts(path)).to.deep.equal({ [path]: 1 });
    await shop.patch(ledger, { spec: { baseline: [{ stage: 'app', action: 'seed' }] } });
    const { status } = await shop.untilReady('v2');
    expect(status?.stages?.[0]).not.to.have.property('runningAction');
    expect(stand.receiver.counts(path)).to.deep.equal({ [path]: 1 });
  });

  it('is done again when a person asks for the stage anew', async () => {
    const { shop, path } = await interrupted();
    await shop.annotate({ 'stages.metio.wtf/reconcile-stage': 'app@again' });
    const { status } = await shop.untilReady('v1');
    expect(stand.receiver.counts(path)).to.deep.equal({ [path]: 2 });
    expect(status?.stages?.[0]?.lastHandledReconcileAt).to.equal('again');
  });
});

describe('a stage that fails with an unfinished action of scope Lifetime', () => {
  const stand = useActions();

  /** How often the controller has looked at StageSets. */
  async function passes(): Promise<number> {
    return await metricSum(stand.controller.metricsUrl, 'controller_runtime_reconcile_total');
  }

  it('[gap 7.5] is halted by the fifth failure, and no event but requestedAt makes it act', async function () {
    this.timeout(180_000);
    const shop = await stand.namespace();
    const path = `/${shop.name}/seed`;
    stand.receiver.statuses.set(path, 500);
    const pre = [stand.http(shop, 'seed', { scope: 'Lifetime' })];
    await shop.createStageSet([{ name: 'app', actions: { pre } }]);
    const message = await shop.untilReason('ActionDirty', { within: 100_000 });
    expect(message).to.include('failure 5 in a row; halted');
    expect(message).to.include('then annotate reconcile.fluxcd.io/requestedAt');
    expect(stand.receiver.counts(path)).to.deep.equal({ [path]: 5 });

    // Each of these wakes the controller up; a restart does, too.
    await shop.annotate({ 'stages.metio.wtf/promote': 'app@now' });
    await shop.publish('other', 'v1', [configMap('other')]);
    await stand.kill();
    await stand.start();
    await shop.publish('app', 'v1', [configMap('app')]);
    await shop.annotate({ 'stages.metio.wtf/update-now': 'now' });
    const before = await passes();
    await shop.annotate({ 'stages.metio.wtf/promote': 'app@again' });
    const signal = AbortSignal.timeout(30_000);
    while ((await passes()) === before) await pause(20, signal);
    expect(stand.receiver.counts(path)).to.deep.equal({ [path]: 5 });
    const { status } = await shop.untilStageSet((seen) => readyOf(seen)?.reason === 'ActionDirty');
    expect(status?.actionFailureCount).to.equal(5);

    stand.receiver.statuses.delete(path);
    await shop.request('repaired');
    const repaired = await shop.untilReady('v1');
    expect(repaired.status?.actionFailureCount ?? 0).to.equal(0);
    expect(stand.receiver.counts(path)).to.deep.equal({ [path]: 6 });
  });
});
