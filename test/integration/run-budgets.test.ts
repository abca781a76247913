import { expect } from 'chai';
import { canary } from '../canary.ts';
import { MetricServer } from '../metric-server.ts';
import { metricSum } from '../metrics.ts';
import { configMap, serviceAccount } from '../objects.ts';
import { TestPlanner } from '../planning.ts';
import { useController } from '../playground.ts';
import { everyVerb, grant } from '../rbac.ts';
import { readyOf, type TestNamespace } from '../test-namespace.ts';
import { untilRuns } from './aggregated.ts';
import { flags, passByAdvance, plannedHold } from './gates.ts';

type Stages = readonly (string | Record<string, unknown>)[];

describe('an error budget', () => {
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

  /** Freezes below 0.1 and thaws at 0.25; looked at each second. */
  function budgetOf(query: string, rest: Record<string, unknown> = {}): Record<string, unknown> {
    const thresholds = { freezeThreshold: '0.1', resumeThreshold: '0.25' };
    return { source: metrics.source(query), ...thresholds, interval: '1s', ...rest };
  }

  async function publish(shop: TestNamespace, revision: string): Promise<void> {
    await shop.publish('prod', revision, [configMap('prod', { revision })]);
    await shop.publish('dev', revision, [configMap('dev', { revision })]);
  }

  async function shopOf(
    spec: Record<string, unknown>,
    stages: Stages = ['dev', 'prod'],
  ): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await publish(shop, 'v1');
    await shop.createStageSet(stages, spec);
    return shop;
  }

  /** Delivered with a full budget, which is exhausted by the time that v2 comes. */
  async function frozenAtV2(
    rest: Record<string, unknown> = {},
    spec: Record<string, unknown> = {},
  ): Promise<TestNamespace> {
    metrics.values.set('budget', 1);
    const shop = await shopOf({ errorBudget: budgetOf('budget', rest), ...spec });
    await shop.untilReady('v1');
    metrics.values.set('budget', 0.05);
    await publish(shop, 'v2');
    return shop;
  }

  async function untilHeld(shop: TestNamespace): Promise<ReturnType<typeof readyOf>> {
    return readyOf(
      await shop.untilStageSet(
        ({ status }) =>
          status?.pendingUpdate?.revisions?.[`${shop.name}/dev`] === 'v2' &&
          status.pendingUpdate.revisions[`${shop.name}/prod`] === 'v2',
      ),
    );
  }

  async function gauge(shop: TestNamespace, name: string): Promise<number> {
    return await metricSum(stand.controller.metricsUrl, `stageset_${name}`, shop.name);
  }

  async function eventsOf(shop: TestNamespace, reason: string): Promise<number> {
    return (await shop.eventReasons()).filter((each) => each === reason).length;
  }

  async function revisionOf(shop: TestNamespace, name: string): Promise<unknown> {
    const found = await shop.find(configMap(name));
    return (found?.['data'] as Record<string, string> | undefined)?.['revision'];
  }

  function hasRevision(revision: string): (object: object) => boolean {
    return (object) => JSON.stringify(object).includes(`"revision":"${revision}"`);
  }

  it('that is exhausted holds a first delivery, which is not Ready, until it is good again', async () => {
    metrics.values.set('budget', 0.05);
    const shop = await shopOf({ errorBudget: budgetOf('budget') });
    const message = await shop.untilReason('BudgetExhausted');
    expect(message).to.match(
      /^new revisions are held since .*Z: the error budget is exhausted: 0\.05 remains, less than freezeThreshold 0\.1; it releases them at 0\.25 or more, and is asked for every 1s; to pass it now: kubectl annotate /,
    );
    const held = await shop.untilStageSet(({ status }) => status?.budgetFreeze !== undefined);
    expect(held.status?.budgetFreeze).to.include({ remaining: '0.05', resumeThreshold: '0.25' });
    expect(readyOf(held)?.status).to.equal('False');
    expect(held.status?.pendingUpdate?.revisions).to.have.property(`${shop.name}/dev`, 'v1');
    expect(await shop.configMapNames()).to.deep.equal([]);

    // Between the thresholds it stays frozen, also for whoever starts anew.
    metrics.values.set('budget', 0.2);
    await shop.untilMessage((text) => text.includes('0.2 remains, less than resumeThreshold'));
    await stand.killAndRestart();
    const asked = metrics.askedAt('budget').length;
    await untilAsked('budget', asked + 2);
    expect(await shop.configMapNames()).to.deep.equal([]);
    expect(await eventsOf(shop, 'BudgetExhausted')).to.equal(1);

    metrics.values.set('budget', 0.25);
    const { status } = await shop.untilReady('v1');
    expect(status).to.not.have.any.keys('budgetFreeze', 'pendingUpdate');
  });

  async function untilAsked(query: string, times: number): Promise<void> {
    for (let looks = 0; looks < 300; looks += 1) {
      if (metrics.askedAt(query).length >= times) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`${query} was asked ${metrics.askedAt(query).length} times only`);
  }

  it('holds a new revision while what is deployed stays Ready and is kept as it is, and tells of it once (gap: part B 4.2)', async () => {
    const shop = await frozenAtV2();
    const ready = await untilHeld(shop);
    expect(ready).to.include({ status: 'True', reason: 'Succeeded' });
    expect(ready?.message).to.match(
      /^Deployed; new revisions are held since .*Z: the error budget/,
    );
    await shop.untilEvent('BudgetExhausted');
    expect(await gauge(shop, 'budget_frozen')).to.equal(1);
    expect(await gauge(shop, 'budget_remaining')).to.equal(0.05);
    const since = (await shop.untilStageSet(() => true)).status?.budgetFreeze?.since;
    const hold = await plannedHold(planning, shop, 'ErrorBudget');
    expect(hold).to.include({ releasedBy: 'Metric', since });

    await shop.patch(configMap('prod'), { data: { revision: 'drifted' } });
    await shop.untilObject(configMap('prod'), hasRevision('v1'));

    await stand.killAndRestart();
    // A plan has asked as well.
    const asked = metrics.askedAt('budget').length;
    await shop.patch(configMap('prod'), { data: { revision: 'drifted' } });
    await shop.untilObject(configMap('prod'), hasRevision('v1'));
    await untilAsked('budget', asked + 2);
    expect(await revisionOf(shop, 'dev')).to.equal('v1');
    const frozen = await shop.untilStageSet(() => true);
    expect(frozen.status?.budgetFreeze?.since).to.equal(since);
    expect(await eventsOf(shop, 'BudgetExhausted')).to.equal(1);
    expect(await gauge(shop, 'budget_frozen')).to.equal(1);
    expect(metrics.shortestPause('budget', asked)).to.be.above(900);

    metrics.values.set('budget', 0.3);
    await shop.untilReady('v2');
    expect(await gauge(shop, 'budget_frozen')).to.equal(0);
    expect(await gauge(shop, 'budget_remaining')).to.equal(0.3);
  });

  it('is passed by budget-override for the revisions that wait, which is on record (gap: part B 1.5)', async () => {
    const shop = await frozenAtV2();
    await untilHeld(shop);
    await shop.annotate({ 'stages.metio.wtf/budget-override': 'go' });
    const { status } = await shop.untilReady('v2');
    expect(status?.lastHandledBudgetOverride).to.equal('go');
    expect(status).to.not.have.any.keys('budgetFreeze', 'pendingUpdate', 'budgetOverride');
    const runs = await untilRuns(shop, (all) => all.at(-1)?.status?.phase === 'Succeeded');
    expect(runs.at(-1)?.status?.advances).to.have.length(1);
    expect(runs.at(-1)?.status?.advances?.[0]).to.include({
      gate: 'ErrorBudget',
      override: true,
      via: 'Annotation',
    });
    await publish(shop, 'v3');
    await shop.untilStageSet(
      (seen) => seen.status?.pendingUpdate?.revisions?.[`${shop.name}/dev`] === 'v3',
    );
    expect(await revisionOf(shop, 'dev')).to.equal('v2');
  });

  it('is passed through the API by who may override it, and by nobody else', async () => {
    const shop = await frozenAtV2();
    await untilHeld(shop);
    await passByAdvance(stand, shop, 'ErrorBudget');
    await shop.untilReady('v2');
  });

  it('of a stage holds its entry, over a crash too, when others have gone on (part B 4.3)', async () => {
    metrics.values.set('prod', 1);
    const prod = { name: 'prod', errorBudget: budgetOf('prod') };
    const shop = await shopOf({}, ['dev', prod]);
    await shop.untilReady('v1');
    metrics.values.set('prod', 0.05);
    await publish(shop, 'v2');
    const message = await shop.untilReason('BudgetExhausted');
    expect(message).to.include('the error budget of stage prod is exhausted: 0.05 remains');
    expect(await gauge(shop, 'stage_budget_frozen')).to.equal(1);
    expect(await revisionOf(shop, 'dev')).to.equal('v2');
    const held = await shop.untilStageSet(
      ({ status }) => status?.stages?.[1]?.budgetFreeze !== undefined,
    );
    expect(held.status?.stages?.[1]).to.include({ name: 'prod', appliedRevision: 'v1' });
    expect(held.status).to.not.have.property('budgetFreeze');
    const hold = await plannedHold(planning, shop, 'ErrorBudget');
    expect(hold).to.include({ stage: 'prod', releasedBy: 'Metric' });

    await stand.killAndRestart();
    await untilAsked('prod', metrics.askedAt('prod').length + 2);
    expect(await revisionOf(shop, 'prod')).to.equal('v1');
    await shop.patch(configMap('prod'), { data: { revision: 'drifted' } });
    await shop.untilObject(configMap('prod'), hasRevision('v1'));
    await passByAdvance(stand, shop, 'ErrorBudget', 'prod');
    const ready = await shop.untilReady('v2');
    expect(ready.status?.stages?.[1]).to.not.have.property('budgetFreeze');
    expect(await gauge(shop, 'stage_budget_frozen')).to.equal(0);
    expect(await eventsOf(shop, 'BudgetExhausted')).to.equal(1);
  });

  it('that cannot be read lets pass what is new, and tells of it once in an outage (gap: part B 4.2)', async () => {
    metrics.broken.add('budget');
    const shop = await shopOf({ errorBudget: budgetOf('budget') });
    await shop.untilReady('v1');
    const event = await shop.untilEvent('BudgetSourceUnavailable');
    expect(event).to.include({ type: 'Warning' });
    expect(await gauge(shop, 'metric_source_errors_total')).to.equal(1);
    expect(await gauge(shop, 'budget_frozen')).to.equal(0);
  });

  it('that cannot be read holds what is new where the spec wants that (part B 4.2)', async () => {
    metrics.values.set('budget', 1);
    const errorBudget = budgetOf('budget', { onSourceError: 'Hold' });
    const shop = await shopOf({ errorBudget, interval: '2s' });
    await shop.untilReady('v1');
    metrics.broken.add('budget');
    await publish(shop, 'v2');
    const ready = await untilHeld(shop);
    expect(ready).to.include({ status: 'True', reason: 'Succeeded' });
    expect(ready?.message).to.match(
      /^Deployed; .*cannot be read, and onSourceError is Hold: .*500/,
    );
    await shop.untilEvent('BudgetSourceUnavailable');
    // Runs begin anew at the interval of the StageSet meanwhile.
    await untilAsked('budget', metrics.askedAt('budget').length + 5);
    expect(await eventsOf(shop, 'BudgetSourceUnavailable')).to.equal(1);
    expect(await revisionOf(shop, 'dev')).to.equal('v1');
    expect(await gauge(shop, 'metric_source_errors_total')).to.be.at.least(5);
    metrics.broken.delete('budget');
    await shop.untilReady('v2');
  });

  it('is read with a token as the account of the StageSet, which has to be allowed to see it', async () => {
    metrics.values.set('budget', 1);
    const shop = await stand.namespace();
    const account = { namespace: shop.name, name: 'deployer' };
    await shop.create(serviceAccount('deployer'));
    await grant(shop, account, [{ apiGroups: [''], resources: ['configmaps'], verbs: everyVerb }]);
    await shop.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'slo' },
      stringData: { token: canary },
    });
    const { prometheus } = metrics.source('budget');
    const source = { prometheus: { ...prometheus, secretRef: { name: 'slo' } } };
    const errorBudget = budgetOf('budget', { source, onSourceError: 'Hold' });
    await publish(shop, 'v1');
    await shop.createStageSet(['dev', 'prod'], { errorBudget, serviceAccountName: 'deployer' });
    const message = await shop.untilReason('RBACDenied');
    expect(message).to.include(
      `User "system:serviceaccount:${shop.name}:deployer" cannot get resource "secrets"`,
    );
    expect(await shop.configMapNames()).to.deep.equal([]);
    await grant(shop, account, [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }]);
    await shop.untilReady('v1');
    expect(metrics.tokens()).to.deep.equal([canary]);
  });

  it('holds nothing with dryRun, and says that it would have', async () => {
    const shop = await frozenAtV2({ dryRun: true });
    const { status } = await shop.untilReady('v2');
    expect(status?.budgetFreeze).to.include({ remaining: '0.05', dryRun: true });
    const event = await shop.untilEvent('BudgetExhausted');
    expect(event).to.include({ type: 'Normal' });
    expect(await gauge(shop, 'budget_frozen')).to.equal(0);
    expect(await gauge(shop, 'budget_remaining')).to.equal(0.05);
  });

  it('is not asked while windows are closed', async () => {
    const times = {
      from: new Date(Date.now() - 60_000).toISOString(),
      to: new Date(Date.now() + 3_600_000).toISOString(),
    };
    const shop = await shopOf({
      errorBudget: budgetOf('budget'),
      updateWindows: [{ type: 'Deny', ...times }],
      retryInterval: '1s',
    });
    await shop.untilReason('UpdateDeferred');
    await shop.request('again');
    await shop.untilStageSet(({ status }) => status?.lastHandledReconcileAt === 'again');
    expect(metrics.askedAt('budget')).to.deep.equal([]);
  });

  it('keeps dependents waiting while it holds, although what is deployed is Ready (edge case 6, part B 13)', async () => {
    const shop = await frozenAtV2();
    await untilHeld(shop);
    const after = await stand.namespace();
    await after.publish('dev', 'v1', [configMap('dev')]);
    const dependsOn = [{ name: 'shop', namespace: shop.name }];
    await after.createStageSet(['dev'], { dependsOn });
    await after.untilReason('DependencyNotReady');
    expect(await after.configMapNames()).to.deep.equal([]);
    metrics.values.set('budget', 1);
    await shop.untilReady('v2');
    await after.untilReady('v1');
  });
});
