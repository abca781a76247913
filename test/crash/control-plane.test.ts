import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { configMap, deployment } from '../objects.ts';
import { useController } from '../playground.ts';
import type { TestNamespace } from '../test-namespace.ts';

/** Long enough for every retry, watch and token to have failed more than once. */
const outage = 20_000;

describe('an outage of the control plane while a release is under way', () => {
  const stand = useController();

  async function untilHalfWay(): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await shop.publish('one', 'v1', [configMap('one')]);
    await shop.publish('two', 'v1', [deployment('web')]);
    await shop.publish('three', 'v1', [configMap('three')]);
    await shop.createStageSet(['one', 'two', 'three']);
    await shop.untilPhase('two', 'Verifying');
    return shop;
  }

  async function expectItFinishes(shop: TestNamespace): Promise<void> {
    const before = await shop.configMapVersions();
    await shop.reportDeployment('web', 'Available');
    await shop.untilReady('v1', { within: 60_000 });
    expect(await shop.configMapVersions()).to.include(before);
    // It watches again, too: a new revision needs no person either.
    await shop.publish('three', 'v2', [configMap('three', { release: 'two' })]);
    await shop.untilStageSet(({ status }) => status?.stages?.[2]?.appliedRevision === 'v2', {
      within: 60_000,
    });
    await shop.untilReady();
    expect(await shop.eventNotes('StageFailed')).to.deep.equal([]);
    expect(await shop.eventNotes('RBACDenied')).to.deep.equal([]);
  }

  it('of 20 s without an API server needs no person', async () => {
    const shop = await untilHalfWay();
    const { cluster } = stand.playground;
    await cluster.killApiServer();
    await delay(outage);
    await cluster.restartApiServer();
    await expectItFinishes(shop);
  });

  it('of 20 s without etcd needs no person', async () => {
    const shop = await untilHalfWay();
    const { cluster } = stand.playground;
    await cluster.killEtcd();
    await delay(outage);
    await cluster.restartEtcd();
    await expectItFinishes(shop);
  });
});
