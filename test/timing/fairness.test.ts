import { expect } from 'chai';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { configMap, deployment } from '../objects.ts';
import { removeStageSets, useController } from '../playground.ts';
import {
  createCrowd,
  expectFair,
  median,
  stageSets,
  type Times,
  timesBesideWrites,
  timesToReady,
} from '../side-by-side.ts';
import type { TestNamespace } from '../test-namespace.ts';
import type { Collection } from '../watching.ts';

const crowd = 200;
const rush = 1000;

/** As many workers as the controller gives to one namespace at most. */
const workersOfOne = 3;

describe('the StageSet of one tenant, beside many of another one', function () {
  this.timeout(400_000);
  const stand = useController();

  before('let the controller warm up', async () => {
    await timesToReady(stand, 5);
  });

  /** Waits until so many StageSets are as `judge` wants them. */
  async function untilStatus(
    shop: TestNamespace,
    count: number,
    judge: (status: string) => boolean,
  ): Promise<Collection> {
    // Each state is judged once: this process must leave the processor to the controller.
    const judged = new WeakMap<KubernetesObject, boolean>();
    const isAsWanted = (object: KubernetesObject): boolean => {
      const known = judged.get(object) ?? judge(JSON.stringify(object['status'] ?? {}));
      judged.set(object, known);
      return known;
    };
    return await shop.untilCollection(
      stageSets,
      (seen) => seen.size >= count && [...seen.values()].filter(isAsWanted).length >= count,
      { within: 300_000 },
    );
  }

  /** How many StageSets of the crowd are as `judge` wants them right now. */
  async function countNow(
    shop: TestNamespace,
    judge: (status: string) => boolean,
  ): Promise<number> {
    const { items } = await shop.client.list({ ...stageSets, namespace: shop.name }, shop.call);
    return items.filter(({ status }) => judge(JSON.stringify(status ?? {}))).length;
  }

  const ownSource =
    (shop: TestNamespace, object: (name: string) => KubernetesObject) => async (name: string) => {
      await shop.publish(name, 'v1', [object(name)]);
      return name;
    };

  it(`is Ready as soon while ${crowd} of them wait for what does not get healthy`, async () => {
    const alone = await timesToReady(stand, 5);
    const shop = await stand.namespace();
    await createCrowd(shop, crowd, ownSource(shop, deployment));
    await untilStatus(shop, crowd, (status) => status.includes('Verifying'));
    const beside = await timesToReady(stand, 9);
    await removeStageSets(stand.playground);
    alone.push(...(await timesToReady(stand, 4)));
    expectFair(`beside ${crowd} that wait`, { alone, beside });
  });

  it(`is Ready as soon while the sources of ${crowd} of them hang`, async () => {
    const alone = await timesToReady(stand, 5);
    const shop = await stand.namespace();
    stand.playground.artifacts.stall(shop.name);
    await createCrowd(shop, crowd, ownSource(shop, configMap));
    await untilStatus(shop, crowd, (status) => status.includes('Progressing'));
    const beside = await timesToReady(stand, 9);
    await removeStageSets(stand.playground);
    alone.push(...(await timesToReady(stand, 4)));
    expectFair(`beside ${crowd} slow sources`, { alone, beside });
  });

  it(`is Ready as soon while ${crowd} of them fail again and again`, async () => {
    const times: Times = { alone: [], beside: [] };
    const shop = await stand.namespace();
    const digest = `sha256:${'0'.repeat(64)}`;
    const breakIt = async (revision: string): Promise<void> => {
      await shop.publish('web', revision, [configMap('web')], { digest });
    };
    await breakIt('v0');
    await createCrowd(shop, crowd, () => 'web');
    const hasFailed = (status: string): boolean => status.includes('StageFailed');
    await untilStatus(shop, crowd, hasFailed);
    for (let round = 1; round <= 4; round += 1) {
      times.alone.push(...(await timesToReady(stand, 3)));
      // One write, and all of them fail again.
      const revision = `v${round}`;
      const hasFailedAgain = (status: string): boolean =>
        hasFailed(status) && status.includes(`"${shop.name}/web":"${revision}"`);
      await breakIt(revision);
      times.beside.push(...(await timesToReady(stand, 3)));
      const left = crowd - (await countNow(shop, hasFailedAgain));
      expect(left, 'still to come').to.be.greaterThan(crowd / 4);
      await untilStatus(shop, crowd, hasFailedAgain);
    }
    const raw = median(await timesBesideWrites(stand, shop, workersOfOne, 5));
    process.stdout.write(
      `      beside ${workersOfOne} who write without pause ${raw.toFixed(0)} ms\n`,
    );
    expectFair(`beside ${crowd} that fail`, times);
  });

  it(`is not behind ${rush} of them in line`, async () => {
    const times: Times = { alone: await timesToReady(stand, 5), beside: [] };
    const shop = await stand.namespace();
    const object = (text: string): KubernetesObject => configMap('web-${name}', { text });
    await shop.publish('web', 'v1', [object('one')]);
    await createCrowd(shop, rush, () => 'web');
    const isReady =
      (revision: string) =>
      (status: string): boolean =>
        status.includes('"Succeeded"') && status.includes(`"appliedRevision":"${revision}"`);
    times.beside.push(...(await timesToReady(stand, 5)));
    const left = rush - (await countNow(shop, isReady('v1')));
    expect(left, 'still to come').to.be.greaterThan(rush / 2);
    await untilStatus(shop, rush, isReady('v1'));
    times.alone.push(...(await timesToReady(stand, 5)));
    // One new revision wakes all of them.
    await shop.publish('web', 'v2', [object('two')]);
    times.beside.push(...(await timesToReady(stand, 5)));
    expect(await countNow(shop, isReady('v2'))).to.be.lessThan(rush);
    expectFair(`behind ${rush} others`, times);
  });
});
