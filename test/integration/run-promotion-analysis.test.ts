import { expect } from 'chai';
import { MetricServer } from '../metric-server.ts';
import { metricSum } from '../metrics.ts';
import { configMap } from '../objects.ts';
import { TestPlanner } from '../planning.ts';
import { useController } from '../playground.ts';
import type { TestNamespace } from '../test-namespace.ts';
import { flags, gatesOf, passByAdvance, plannedHold, untilGates } from './gates.ts';

describe('the analysis of a stage', () => {
  const stand = useController({ flags });
  let metrics: MetricServer;
  let planning: TestPlanner;

  before(() => {
    planning = new TestPlanner(stand.playground);
  });
  beforeEach(async () => {
    metrics = await MetricServer.start();
  });
  afterEach(async () => {
    await metrics.stop();
  });
  after(async () => {
    await planning.close();
  });

  /** Stage `dev` with this analysis of the metric `errors`, of which 0.1 are allowed, and `prod`. */
  async function release(
    analysis: Record<string, unknown>,
    promotion: Record<string, unknown> = {},
    spec: Record<string, unknown> = {},
  ): Promise<TestNamespace> {
    const check = { name: 'errors', source: metrics.source('errors'), threshold: { max: '0.1' } };
    const shop = await stand.namespace();
    await shop.publish('dev', 'v1', [configMap('dev')]);
    await shop.publish('prod', 'v1', [configMap('prod')]);
    const gates = { analysis: { interval: '1s', checks: [check], ...analysis }, ...promotion };
    await shop.createStageSet([{ name: 'dev', promotion: gates }, 'prod'], spec);
    return shop;
  }

  async function gauges(shop: TestNamespace): Promise<[pending: number, blocked: number]> {
    const { metricsUrl } = stand.controller;
    return [
      await metricSum(metricsUrl, 'stageset_stage_promotion_pending', shop.name),
      await metricSum(metricsUrl, 'stageset_stage_promotion_blocked', shop.name),
    ];
  }

  it('blocks it while its metric is bad, over a crash too, and lets it pass once that is good', async () => {
    metrics.values.set('errors', 0.5);
    const shop = await release({});
    const message = await shop.untilReason('PromotionBlocked');
    expect(message).to.match(
      /^Stage dev is blocked: its analysis failed \d+ time\(s\) in a row, and failureLimit tolerates 0: errors is 0\.5 \(max 0\.1\) \(since \d{4}-.*Z\); looked at again at .*Z; to promote it all the same: kubectl /,
    );
    const blocked = await untilGates(shop, ({ phase }) => phase === 'Blocked');
    expect(blocked.lastAnalysis).to.deep.include({
      passed: false,
      checks: [{ name: 'errors', value: '0.5', ok: false }],
    });
    expect(await gauges(shop)).to.deep.equal([1, 1]);
    const hold = await plannedHold(planning, shop, 'Analysis');
    expect(hold).to.deep.include({ stage: 'dev', releasedBy: 'Metric', since: blocked.since });
    const planned = metrics.askedAt('errors').length;

    await stand.killAndRestart();
    const after = await untilGates(
      shop,
      ({ lastAnalysis }) => lastAnalysis?.time !== blocked.lastAnalysis?.time,
    );
    expect(after).to.include({ phase: 'Blocked', since: blocked.since });
    expect(after.analysisFailures).to.be.at.least(blocked.analysisFailures ?? 0);
    expect(await shop.configMapNames()).to.deep.equal(['dev']);

    metrics.values.set('errors', 0.02);
    const ready = await shop.untilReady('v1');
    expect(gatesOf(ready)).to.deep.include({ phase: 'Promoted' });
    expect(gatesOf(ready).lastAnalysis).to.deep.include({
      passed: true,
      checks: [{ name: 'errors', value: '0.02', ok: true }],
    });
    expect(await gauges(shop)).to.deep.equal([0, 0]);
    expect(metrics.shortestPause('errors', planned)).to.be.above(950);
    expect(await shop.eventReasons()).to.include('PromotionBlocked');
  });

  it('counts failures and asks by its interval, however often the StageSet is woken (gap: part B 3.2)', async () => {
    metrics.values.set('errors', 0.5);
    const begun = Date.now();
    const shop = await release({ interval: '2s', failureLimit: 2 });
    const waking = new AbortController();
    let wakes = 0;
    const wake = async (): Promise<void> => {
      while (!waking.signal.aborted) {
        wakes += 1;
        await shop.annotate({ 'stages.metio.wtf/update-now': String(wakes) });
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    const waker = wake();
    try {
      const failing = await untilGates(shop, ({ phase }) => phase === 'Analyzing');
      expect(failing.analysisFailures).to.equal(1);
      const blocked = await untilGates(shop, ({ phase }) => phase === 'Blocked');
      expect(blocked.analysisFailures).to.equal(3);
    } finally {
      waking.abort();
      await waker;
    }
    const elapsed = Date.now() - begun;
    expect(elapsed).to.be.above(4000);
    expect(wakes).to.be.above(20);
    expect(metrics.askedAt('errors')).to.have.length(3);
    expect(metrics.shortestPause('errors')).to.be.above(1950);
    metrics.values.set('errors', 0);
    await shop.untilReady('v1');
  });

  it('is only recorded with dryRun', async () => {
    metrics.values.set('errors', 0.5);
    const shop = await release({ dryRun: true });
    const ready = await shop.untilReady('v1');
    expect(gatesOf(ready)).to.include({ phase: 'Promoted' });
    expect(gatesOf(ready).lastAnalysis).to.include({ passed: false });
    expect(await shop.eventReasons()).to.not.include('PromotionBlocked');
  });

  it('holds while its metric cannot be read, and counts each time that it cannot', async () => {
    metrics.broken.add('errors');
    const shop = await release({});
    const message = await shop.untilReason('PromotionBlocked');
    expect(message).to.match(/errors \(.*500.*\)/);
    expect(message).to.not.include('out of memory');
    const state = await untilGates(shop, ({ phase }) => phase === 'Blocked');
    expect(state.lastAnalysis?.checks?.[0]).to.include({ name: 'errors', ok: false });
    const { metricsUrl } = stand.controller;
    const name = 'stageset_metric_source_errors_total';
    expect(await metricSum(metricsUrl, name, shop.name)).to.be.at.least(1);
    metrics.values.set('errors', 0);
    metrics.broken.delete('errors');
    await shop.untilReady('v1');
    await shop.deleteStageSet();
    await shop.untilStageSetGone();
    await expectGone(name, shop);
  });

  /** The series go when the pass after the deletion is over. */
  async function expectGone(name: string, shop: TestNamespace): Promise<void> {
    const text = async (): Promise<string> =>
      await (await fetch(stand.controller.metricsUrl)).text();
    for (let looks = 0; looks < 100; looks += 1) {
      const own = (await text()).split('\n').filter((line) => line.includes(`"${shop.name}"`));
      if (own.every((line) => !line.startsWith(name) && !line.includes('promotion'))) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`series of ${shop.name} are left`);
  }

  it('passes while its metric cannot be read, where the spec allows that', async () => {
    metrics.broken.add('errors');
    const shop = await release({ onSourceError: 'Allow' });
    const ready = await shop.untilReady('v1');
    const [check] = gatesOf(ready).lastAnalysis?.checks ?? [];
    expect(check).to.include({ name: 'errors' });
    expect(check?.error).to.include('500');
    expect(check).to.not.have.property('ok');
  });

  it('goes on through a soak, and blocks it in its middle (gap: part B 3.2)', async () => {
    metrics.values.set('errors', 0);
    const shop = await release({}, { soak: '1h' });
    await shop.untilReason('Soaking');
    metrics.values.set('errors', 0.9);
    await shop.untilReason('PromotionBlocked');
    const blocked = await untilGates(shop, ({ phase }) => phase === 'Blocked');
    metrics.values.set('errors', 0);
    await shop.untilReason('Soaking');
    const soaking = await untilGates(shop, ({ phase }) => phase === 'Soaking');
    expect(soaking.soakUntil).to.equal(blocked.soakUntil);
    expect(await shop.configMapNames()).to.deep.equal(['dev']);
  });

  it('is passed through the API by who may override it, and by nobody else', async () => {
    metrics.values.set('errors', 0.5);
    const shop = await release({});
    await shop.untilReason('PromotionBlocked');
    await passByAdvance(stand, shop, 'Analysis');
    await shop.untilReady('v1');
  });
});

describe('a soak with fastTrack', () => {
  const stand = useController({ flags });
  let metrics: MetricServer;

  before(async () => {
    metrics = await MetricServer.start();
  });
  after(async () => {
    await metrics.stop();
  });

  it('is over when its metric is good, after the part of it that always has to pass', async () => {
    metrics.values.set('burn', 5);
    const shop = await stand.namespace();
    await shop.publish('dev', 'v1', [configMap('dev')]);
    await shop.publish('prod', 'v1', [configMap('prod')]);
    const fastTrack = { source: metrics.source('burn'), max: '0.1', after: '3s' };
    const spec = { retryInterval: '1s' };
    await shop.createStageSet(
      [{ name: 'dev', promotion: { soak: '1h', fastTrack } }, 'prod'],
      spec,
    );
    const soaking = await untilGates(shop, ({ phase }) => phase === 'Soaking');
    const { lastFastTrack } = await untilGates(shop, (state) => state.lastFastTrack !== undefined);
    expect(lastFastTrack).to.include({ value: '5' });
    const [first = 0] = metrics.askedAt('burn');
    expect(first - Date.parse(soaking.enteredAt ?? '')).to.be.at.least(2990);

    await stand.killAndRestart();
    await shop.untilReason('Soaking');
    expect(await shop.configMapNames()).to.deep.equal(['dev']);
    metrics.values.set('burn', 0.05);
    await shop.untilReady('v1');
    expect(metrics.shortestPause('burn')).to.be.above(950);
  });
});
