import { expect } from 'chai';
import { pause } from '../../src/kubernetes/wait.ts';
import { metricSum, type SentRequests, sentRequests } from '../metrics.ts';
import { configMap, configMaps } from '../objects.ts';
import { useController } from '../playground.ts';
import type { TestNamespace } from '../test-namespace.ts';

describe('what a reconcile costs the API server', () => {
  let shop: TestNamespace;

  beforeEach('make a namespace', async () => {
    shop = await stand.namespace();
  });

  afterEach('take the StageSet down, so that the next test counts nothing of it', async () => {
    await shop.deleteStageSet();
    await shop.untilStageSetGone();
  });

  const stand = useController();

  /** What the controller sends while `work` lasts. */
  async function sentDuring(work: () => Promise<void>): Promise<SentRequests> {
    const { metricsUrl } = stand.controller;
    const before = await sentRequests(metricsUrl);
    await work();
    // A watch may tell of a write before the controller has counted its answer.
    await untilIdle();
    const after = await sentRequests(metricsUrl);
    return { reads: after.reads - before.reads, writes: after.writes - before.writes };
  }

  async function untilIdle(): Promise<void> {
    const signal = AbortSignal.timeout(20_000);
    const busy = async (): Promise<number> =>
      await metricSum(stand.controller.metricsUrl, 'controller_runtime_active_workers');
    while ((await busy()) > 0) await pause(10, signal);
  }

  /** Waits for the event too, which is written after everything else. */
  async function untilRolledOut(): Promise<void> {
    await shop.untilReady('v1');
    await shop.untilEvent('Succeeded');
  }

  /** Waits until so many stages have passed apply and verify again. */
  async function untilApplied(stages: number): Promise<void> {
    const { metricsUrl } = stand.controller;
    const applied = async (): Promise<number> =>
      await metricSum(metricsUrl, 'stageset_stage_applied_total', shop.name);
    const end = (await applied()) + stages;
    const signal = AbortSignal.timeout(20_000);
    while ((await applied()) < end) await pause(20, signal);
  }

  it('is no write and one list for each stage, where nothing has changed', async () => {
    await shop.publish('one', 'v1', configMaps('one', 20));
    await shop.publish('two', 'v1', configMaps('two', 20));
    await shop.createStageSet(['one', 'two'], { interval: '1s' });
    await shop.untilReady('v1');
    await untilApplied(2);
    const { reads, writes } = await sentDuring(async () => await untilApplied(4));
    expect(writes).to.equal(0);
    expect(reads).to.be.within(4, 6);
  });

  it('is one list of two pages for 1,000 objects where nothing has changed', async () => {
    await shop.publish('app', 'v1', configMaps('app', 1000));
    await shop.createStageSet(['app']);
    await shop.untilReady('v1', { within: 90_000 });
    const sweep = async (name: string): Promise<void> => {
      await shop.request(name);
      await shop.untilStageSet(({ status }) => status?.lastHandledReconcileAt === name);
    };
    // The watch on the objects begins with a list of its own, which may end after the rollout.
    await sweep('first');
    await untilIdle();
    const { reads, writes } = await sentDuring(async () => await sweep('second'));
    expect(reads).to.equal(2);
    // The status, which says that the request was answered.
    expect(writes).to.equal(1);
  });

  it('is one status write for a requested one, where nothing has changed', async () => {
    await shop.publish('app', 'v1', configMaps('app', 20));
    await shop.createStageSet(['app']);
    await untilRolledOut();
    const { reads, writes } = await sentDuring(async () => {
      await shop.request('again');
      await shop.untilStageSet(({ status }) => status?.lastHandledReconcileAt === 'again');
    });
    expect(writes).to.equal(1);
    expect(reads).to.be.at.most(2);
  });

  it('writes only what changed when 1 of 50 objects did', async () => {
    await shop.publish('app', 'v1', [...configMaps('app', 49), configMap('changed')]);
    await shop.createStageSet(['app']);
    await untilRolledOut();
    const before = await shop.configMapVersions();
    const { reads, writes } = await sentDuring(async () => {
      await shop.publish('app', 'v2', [
        ...configMaps('app', 49),
        configMap('changed', { release: 'two' }),
      ]);
      await shop.untilReady('v2');
    });
    const after = await shop.configMapVersions();
    const moved = Object.keys(after).filter((name) => after[name] !== before[name]);
    expect(moved).to.deep.equal(['changed']);
    // The dry-run, the write, the status, and the record of the run at its beginning and its end.
    expect(writes).to.equal(5);
    expect(reads).to.be.at.most(2);
  });

  it('is one run for each revision, however much its inventory changes', async () => {
    const revisions = ['v1', 'v2', 'v3', 'v4', 'v5', 'v6'];
    await shop.publish('app', 'v1', configMaps('v1', 3));
    const { metricsUrl } = stand.controller;
    await shop.createStageSet(['app']);
    for (const revision of revisions) {
      await shop.publish('app', revision, configMaps(revision, 3));
      await shop.untilReady(revision);
    }
    await shop.request('the last one');
    await shop.untilStageSet(({ status }) => status?.lastHandledReconcileAt === 'the last one');
    const runs = await metricSum(metricsUrl, 'stageset_stage_applied_total', shop.name);
    expect(runs).to.equal(revisions.length + 1);
  });

  it('writes a new StageSet of 20 objects with two requests for each, and six more', async () => {
    await shop.publish('app', 'v1', configMaps('app', 20));
    const { reads, writes } = await sentDuring(async () => {
      await shop.createStageSet(['app']);
      await shop.untilReady('v1');
      await shop.untilEvent('Succeeded');
    });
    // The finalizer, the inventory, the status, the event, and the record of the run twice.
    expect(writes).to.be.within(45, 46);
    expect(reads).to.be.at.most(3);
  });
});
