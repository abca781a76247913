import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { ControllerProcess } from '../../dev/controller-process.ts';
import type { Playground } from '../../dev/playground.ts';
import { pause } from '../../src/kubernetes/wait.ts';
import { FaultProxy } from '../faults/proxy.ts';
import { configMap, deployment } from '../objects.ts';
import { removeStageSets, sharedPlayground, showLog } from '../playground.ts';
import { TestNamespace } from '../test-namespace.ts';

describe('a controller that loses the API server', () => {
  let playground: Playground;
  let proxy: FaultProxy;
  let controller: ControllerProcess | undefined;

  before(async () => {
    playground = await sharedPlayground();
    proxy = await FaultProxy.start(playground.identities.singleTenant);
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') showLog(controller);
    await removeStageSets(playground);
    await controller?.stop();
  });

  after(async () => {
    await proxy.stop();
  });

  async function start(...flags: readonly string[]): Promise<ControllerProcess> {
    const kubeconfig = join(playground.cluster.directory, 'lossy.kubeconfig');
    await writeFile(kubeconfig, proxy.kubeconfig);
    controller = await playground.startController({ kubeconfig, flags });
    return controller;
  }

  it('goes on at once when it answers again, and does not sit out a backoff', async () => {
    await start();
    const shop = await TestNamespace.create(playground);
    await shop.publish('one', 'v1', [deployment('web')]);
    await shop.publish('two', 'v1', [configMap('two')]);
    await shop.createStageSet(['one', 'two']);
    await shop.untilPhase('one', 'Verifying');
    const restore = proxy.inject({ match: () => true, fault: { kind: 'Reset' } });
    await shop.reportDeployment('web', 'Available');
    // By now each try is followed by a pause of ten seconds and more.
    await delay(25_000);
    restore();
    await shop.untilReady('v1', { within: 5_000 });
  });

  it('ends when it cannot keep its lease, before another may lead', async () => {
    const leader = await start('--leader-elect', '--namespace=stageset-system');
    const signal = AbortSignal.timeout(50_000);
    const lines = (): string => leader.log.join('\n');
    // It is ready before it leads.
    while (!lines().includes('"msg":"leader"')) await pause(50, signal);
    const restore = proxy.inject({ match: () => true, fault: { kind: 'Silence' } });
    while (!lines().includes('the leader lease was lost: the process ends')) {
      await pause(50, signal);
    }
    const lost = performance.now();
    const answers = async (): Promise<boolean> =>
      await fetch(`${leader.healthUrl}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
    while (await answers()) await pause(50, signal);
    expect(performance.now() - lost).to.be.below(5_000);
    restore();
  });
});
