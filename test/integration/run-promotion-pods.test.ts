import { expect } from 'chai';
import { configMap, serviceAccount } from '../objects.ts';
import { TestPlanner } from '../planning.ts';
import { useController } from '../playground.ts';
import { createPod, removePod, restart, warn } from '../pods.ts';
import { everyVerb, grant } from '../rbac.ts';
import type { TestNamespace } from '../test-namespace.ts';
import { flags, gatesOf, passByAdvance, plannedHold, untilGates } from './gates.ts';

const selector = { matchLabels: { app: 'web' } };
const restartGate = { checks: [{ name: 'web', selector, maxRestarts: 1 }] };
const eventGate = { checks: [{ name: 'web', selector, reasons: ['BackOff'], maxEvents: 2 }] };

describe('the pods of a stage', () => {
  const stand = useController({ flags });
  let planning: TestPlanner;

  before(() => {
    planning = new TestPlanner(stand.playground);
  });
  after(async () => {
    await planning.close();
  });

  /** Publishes a revision of both stages, one after the other. */
  async function publish(shop: TestNamespace, revision: string): Promise<void> {
    await shop.publish('prod', revision, [configMap('prod', { revision })]);
    await shop.publish('dev', revision, [configMap('dev', { revision })]);
  }

  /** Creates the StageSet, whose stage `dev` has these gates, with the first revision of both. */
  async function deliver(
    shop: TestNamespace,
    promotion: Record<string, unknown>,
    spec: Record<string, unknown> = {},
  ): Promise<void> {
    await publish(shop, 'v1');
    const retryInterval = '1s';
    await shop.createStageSet([{ name: 'dev', promotion }, 'prod'], { retryInterval, ...spec });
  }

  function baselineOf(state: ReturnType<typeof gatesOf>): number | undefined {
    return state.restartBaseline?.[0]?.restarts;
  }

  it('block it when they restart, over a crash too, until a new revision does not', async () => {
    const shop = await stand.namespace();
    await createPod(shop, 'web-1', 3);
    await deliver(shop, { restartGate, soak: '4s' });
    expect(baselineOf(gatesOf(await shop.untilReady('v1')))).to.equal(3);
    await publish(shop, 'v2');
    await shop.untilReason('Soaking');
    await restart(shop, 'web-1', 7);
    const message = await shop.untilReason('PromotionBlocked');
    const blocked = await untilGates(shop, ({ observedRestarts = 0 }) => observedRestarts > 3);
    expect(blocked).to.include({ phase: 'Blocked', restartCheck: 'web', observedRestarts: 4 });
    expect(baselineOf(blocked)).to.equal(3);
    expect(message).to.match(
      /^Stage dev is blocked: check web of its restartGate counted 4 restart\(s\) since the last promotion, and 1 are allowed \(since .*Z\); looked at again at .*Z; it soaks until .*Z; to promote it all the same: kubectl /,
    );
    const hold = await plannedHold(planning, shop, 'RestartGate');
    expect(hold).to.deep.include({ stage: 'dev', releasedBy: 'Repair', since: blocked.since });

    await stand.killAndRestart();
    const checked = await untilGates(shop, ({ checkedAt }) => checkedAt !== blocked.checkedAt);
    expect(checked).to.include({ phase: 'Blocked', since: blocked.since, observedRestarts: 4 });
    expect(checked.soakUntil).to.equal(blocked.soakUntil);
    expect(baselineOf(checked)).to.equal(baselineOf(blocked));

    await removePod(shop, 'web-1');
    await createPod(shop, 'web-2');
    await publish(shop, 'v3');
    await shop.untilReady('v3');
  });

  it('are forgiven their restarts by a promotion, which counts for the next revision too', async () => {
    const shop = await stand.namespace();
    await createPod(shop, 'web-1', 2);
    await deliver(shop, { restartGate });
    // Restarts from before the first delivery are not held against it.
    expect(baselineOf(gatesOf(await shop.untilReady('v1')))).to.equal(2);

    await restart(shop, 'web-1', 6);
    await publish(shop, 'v2');
    const message = await shop.untilReason('PromotionBlocked');
    expect(message).to.include('counted 4 restart(s)');
    await restart(shop, 'web-1', 7);
    await untilGates(shop, ({ observedRestarts }) => observedRestarts === 5);
    await shop.annotate({ 'stages.metio.wtf/promote': 'dev@anyway' });
    expect(baselineOf(gatesOf(await shop.untilReady('v2')))).to.equal(7);

    await publish(shop, 'v3');
    expect(baselineOf(gatesOf(await shop.untilReady('v3')))).to.equal(7);
    await restart(shop, 'web-1', 9);
    await publish(shop, 'v4');
    expect(await shop.untilReason('PromotionBlocked')).to.include('counted 2 restart(s)');
    await passByAdvance(stand, shop, 'RestartGate');
    await shop.untilReady('v4');
  });

  it('block it with Warning events, over a crash too, until they are gone', async () => {
    const shop = await stand.namespace();
    const pod = await createPod(shop, 'web-1');
    await warn(shop, pod, 'BackOff', 5);
    await warn(shop, pod, 'Unhealthy', 50);
    await deliver(shop, { eventGate });
    const message = await shop.untilReason('PromotionBlocked');
    expect(message).to.match(
      /^Stage dev is blocked: check web of its eventGate counted 5 Warning event\(s\), and 2 are allowed \(since /,
    );
    const blocked = await untilGates(shop, ({ phase }) => phase === 'Blocked');
    expect(blocked).to.include({ eventCheck: 'web', observedEvents: 5 });
    const hold = await plannedHold(planning, shop, 'EventGate');
    expect(hold).to.deep.include({ stage: 'dev', releasedBy: 'Repair', since: blocked.since });

    await stand.killAndRestart();
    const checked = await untilGates(shop, ({ checkedAt }) => checkedAt !== blocked.checkedAt);
    expect(checked).to.include({ phase: 'Blocked', since: blocked.since, observedEvents: 5 });

    // Events of pods that are gone count no more.
    await removePod(shop, 'web-1');
    await createPod(shop, 'web-2');
    await shop.untilReady('v1');
  });

  it('are passed with their events by the annotation, and by who may override the gate', async () => {
    const shop = await stand.namespace();
    const pod = await createPod(shop, 'web-1');
    await warn(shop, pod, 'BackOff', 3);
    await deliver(shop, { eventGate });
    await shop.untilReason('PromotionBlocked');
    await shop.annotate({ 'stages.metio.wtf/promote': 'dev@anyway' });
    await shop.untilReady('v1');
    await publish(shop, 'v2');
    await shop.untilReason('PromotionBlocked');
    await passByAdvance(stand, shop, 'EventGate');
    await shop.untilReady('v2');
  });

  it('are seen as the account sees them: what it may not see is named, and seen once it may', async () => {
    const shop = await stand.namespace();
    const account = { namespace: shop.name, name: 'deployer' };
    await shop.create(serviceAccount('deployer'));
    await grant(shop, account, [{ apiGroups: [''], resources: ['configmaps'], verbs: everyVerb }]);
    await grant(shop, account, [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }]);
    await createPod(shop, 'web-1');
    await deliver(shop, { restartGate, eventGate }, { serviceAccountName: 'deployer' });
    const message = await shop.untilReason('RBACDenied');
    expect(message).to.include('what its eventGate asks for is refused');
    expect(message).to.include(
      `User "system:serviceaccount:${shop.name}:deployer" cannot list resource "events"`,
    );
    expect(await shop.configMapNames()).to.deep.equal(['dev']);
    const hold = await plannedHold(planning, shop, 'EventGate');
    expect(hold?.reason).to.include('cannot list resource "events"');

    await grant(shop, account, [{ apiGroups: [''], resources: ['events'], verbs: ['list'] }]);
    await shop.untilReady('v1', { within: 75_000 });
  });
});
