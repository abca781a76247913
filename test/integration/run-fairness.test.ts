import { expect } from 'chai';
import { stagesApiVersion } from '../../src/types/stages.ts';
import { configMap, deployment } from '../objects.ts';
import { useController } from '../playground.ts';
import type { TestNamespace } from '../test-namespace.ts';

const hanging = 200;

/** Milliseconds that a machine with other work may add to a moment, whatever the controller does. */
const noise = 250;

describe('StageSets that wait', () => {
  const stand = useController();

  /** Milliseconds from the creation of a StageSet to its being Ready; the median of five tries. */
  async function timeToReady(): Promise<number> {
    const times: number[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      const shop = await stand.namespace();
      await shop.publish('one', 'v1', [configMap('one')]);
      await shop.publish('two', 'v1', [configMap('two')]);
      const begun = performance.now();
      await shop.createStageSet(['one', 'two']);
      await shop.untilReady('v1');
      times.push(performance.now() - begun);
    }
    return times.sort((one, other) => one - other)[2] ?? 0;
  }

  async function hang(shop: TestNamespace, index: number): Promise<void> {
    const name = `hanging-${index}`;
    await shop.publish(name, 'v1', [deployment(name)]);
    const stage = { name: 'app', sourceRef: { name }, timeout: '10h' };
    const metadata = { name, namespace: shop.name };
    const spec = { interval: '1h', stages: [stage] };
    const stageSet = { apiVersion: stagesApiVersion, kind: 'StageSet', metadata, spec };
    await shop.client.create(stageSet, {}, shop.call);
  }

  it(`hold no worker: a healthy one is Ready as soon beside ${hanging} of them as alone`, async function () {
    this.timeout(300_000);
    await timeToReady();
    const alone = await timeToReady();
    const shop = await stand.namespace();
    for (let first = 0; first < hanging; first += 10) {
      const some = Array.from({ length: 10 }, (_, index) => first + index);
      await Promise.all(some.map(async (index) => await hang(shop, index)));
    }
    await shop.untilCollection(
      { apiVersion: stagesApiVersion, kind: 'StageSet' },
      (seen) =>
        seen.size === hanging &&
        [...seen.values()].every(({ status }) =>
          JSON.stringify(status ?? {}).includes('Verifying'),
        ),
      { within: 120_000 },
    );
    const beside = await timeToReady();
    const ratio = beside / alone;
    process.stdout.write(
      `      alone ${alone.toFixed(0)} ms, beside ${hanging} that wait ${beside.toFixed(0)} ms: ` +
        `ratio ${ratio.toFixed(2)}\n`,
    );
    expect(beside).to.be.lessThan(2 * alone + noise);
  });
});
