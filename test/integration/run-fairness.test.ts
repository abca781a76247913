import { expect } from 'chai';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { stagesApiVersion } from '../../src/types/stages.ts';
import { configMap, deployment } from '../objects.ts';
import { useController } from '../playground.ts';
import type { TestNamespace } from '../test-namespace.ts';
import type { Collection } from '../watching.ts';

const crowd = 200;
const rush = 300;

/** Milliseconds that a machine with other work may add to a moment, whatever the controller does. */
const noise = 250;

const stageSets = { apiVersion: stagesApiVersion, kind: 'StageSet' };

describe('the StageSet of one tenant, beside many of another one', function () {
  this.timeout(400_000);
  const stand = useController();

  /** Milliseconds from the creation of a StageSet to its being Ready; the median of some tries. */
  async function timeToReady(tries = 5): Promise<number> {
    const times: number[] = [];
    for (let turn = 0; turn < tries; turn += 1) {
      const shop = await stand.namespace();
      await shop.publish('one', 'v1', [configMap('one')]);
      await shop.publish('two', 'v1', [configMap('two')]);
      const begun = performance.now();
      await shop.createStageSet(['one', 'two']);
      await shop.untilReady('v1');
      times.push(performance.now() - begun);
    }
    return times.sort((one, other) => one - other)[Math.floor(tries / 2)] ?? 0;
  }

  /** Creates StageSets of one stage, whose name is a variable of it, ten at a time. */
  async function create(
    shop: TestNamespace,
    count: number,
    sourceOf: (name: string) => Promise<string>,
    spec: Record<string, unknown> = {},
  ): Promise<void> {
    const createOne = async (index: number): Promise<void> => {
      const name = `crowd-${index}`;
      const postBuild = { substitute: { name } };
      const sourceRef = { name: await sourceOf(name) };
      const stage = { name: 'app', sourceRef, postBuild, timeout: '10h' };
      const metadata = { name, namespace: shop.name };
      const body = { interval: '1h', ...spec, stages: [stage] };
      await shop.client.create({ ...stageSets, metadata, spec: body }, {}, shop.call);
    };
    for (let first = 0; first < count; first += 10) {
      const some = Array.from({ length: 10 }, (_, index) => first + index);
      await Promise.all(some.map(createOne));
    }
  }

  /** Waits until all StageSets of the crowd are as `judge` wants them. */
  async function untilAll(
    shop: TestNamespace,
    count: number,
    judge: (status: string) => boolean,
  ): Promise<Collection> {
    // Each state is judged once: this process must leave the processor to the controller.
    const judged = new WeakSet<KubernetesObject>();
    const isAsWanted = (object: KubernetesObject): boolean => {
      if (judged.has(object)) return true;
      if (!judge(JSON.stringify(object['status'] ?? {}))) return false;
      judged.add(object);
      return true;
    };
    return await shop.untilCollection(
      stageSets,
      (seen) => seen.size === count && [...seen.values()].every(isAsWanted),
      { within: 200_000 },
    );
  }

  function compare(what: string, alone: number, beside: number): number {
    const figures = `alone ${alone.toFixed(0)} ms, ${what} ${beside.toFixed(0)} ms`;
    process.stdout.write(`      ${figures}: ratio ${(beside / alone).toFixed(2)}\n`);
    return beside;
  }

  async function alone(): Promise<number> {
    await timeToReady(2);
    return await timeToReady();
  }

  const ownSource =
    (shop: TestNamespace, object: (name: string) => KubernetesObject) => async (name: string) => {
      await shop.publish(name, 'v1', [object(name)]);
      return name;
    };

  it(`is Ready as soon while ${crowd} of them wait for what does not get healthy`, async () => {
    const before = await alone();
    const shop = await stand.namespace();
    await create(shop, crowd, ownSource(shop, deployment));
    await untilAll(shop, crowd, (status) => status.includes('Verifying'));
    const beside = compare(`beside ${crowd} that wait`, before, await timeToReady());
    expect(beside).to.be.lessThan(2 * before + noise);
  });

  it(`is Ready as soon while the sources of ${crowd} of them hang`, async () => {
    const before = await alone();
    const shop = await stand.namespace();
    stand.playground.artifacts.stall(shop.name);
    await create(shop, crowd, ownSource(shop, configMap));
    await untilAll(shop, crowd, (status) => status.includes('Progressing'));
    const beside = compare(`beside ${crowd} slow sources`, before, await timeToReady());
    expect(beside).to.be.lessThan(2 * before + noise);
  });

  it(`is Ready as soon while ${crowd} of them fail again and again`, async () => {
    const before = await alone();
    const shop = await stand.namespace();
    const broken = `sha256:${'0'.repeat(64)}`;
    const failing = async (name: string): Promise<string> => {
      await shop.publish(name, 'v1', [configMap(name)], { digest: broken });
      return name;
    };
    await create(shop, crowd, failing);
    await untilAll(shop, crowd, (status) => status.includes('StageFailed'));
    // All of them again, as fast as they can be asked to.
    const again = async (name: string): Promise<void> => {
      const reference = { ...stageSets, namespace: shop.name, name };
      const body = { spec: { interval: '2h' } };
      await shop.client.patch(reference, { type: 'Merge', body }, shop.call);
    };
    await Promise.all(Array.from({ length: crowd }, (_, n) => again(`crowd-${n}`)));
    const beside = compare(`beside ${crowd} that fail`, before, await timeToReady(3));
    expect(beside).to.be.lessThan(2 * before + noise);
  });

  it(`is not behind ${rush} of them in line`, async () => {
    const before = await alone();
    const shop = await stand.namespace();
    const object = (text: string): KubernetesObject => configMap('web-${name}', { text });
    await shop.publish('web', 'v1', [object('one')]);
    await create(shop, rush, async () => await Promise.resolve('web'));
    await untilAll(shop, rush, (status) => status.includes('"Succeeded"'));
    // One new revision wakes all of them.
    await shop.publish('web', 'v2', [object('two')]);
    const beside = compare(`while ${rush} roll out`, before, await timeToReady(1));
    const seen = await shop.untilCollection(stageSets, () => true);
    const left = [...seen.values()].filter(
      ({ status }) => !JSON.stringify(status ?? {}).includes('"appliedRevision":"v2"'),
    );
    process.stdout.write(`      ${left.length} of ${rush} were still to come by then\n`);
    expect(left).to.have.length.greaterThan(rush / 2);
    // The processor is busy with the others meanwhile, and so is the API server.
    expect(beside).to.be.lessThan(4 * before + 4 * noise);
  });
});
