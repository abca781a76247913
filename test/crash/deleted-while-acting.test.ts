import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { ControllerProcess } from '../../dev/controller-process.ts';
import type { Playground } from '../../dev/playground.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { isFor, type SeenRequest } from '../faults/faults.ts';
import { FaultProxy } from '../faults/proxy.ts';
import { configMap } from '../objects.ts';
import { removeStageSets, sharedPlayground, showLog } from '../playground.ts';
import { TestNamespace } from '../test-namespace.ts';

const jobKind = { apiVersion: 'batch/v1', kind: 'Job' };

const migrate: KubernetesObject = {
  ...jobKind,
  metadata: { name: 'migrate' },
  spec: {
    template: {
      spec: {
        restartPolicy: 'Never',
        containers: [{ name: 'migrate', image: 'registry.example.com/migrate:1' }],
      },
    },
  },
};

/** Longer than a deletion takes that waits for nothing. */
const slow = 3000;

describe('a StageSet that is deleted while its Job action creates something', () => {
  let playground: Playground;
  let proxy: FaultProxy;
  let controller: ControllerProcess;

  before(async () => {
    playground = await sharedPlayground();
    proxy = await FaultProxy.start(playground.identities.singleTenant);
    const kubeconfig = join(playground.cluster.directory, 'deleted-while-acting.kubeconfig');
    await writeFile(kubeconfig, proxy.kubeconfig);
    controller = await playground.startController({ kubeconfig, flags: ['--log-level=debug'] });
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') showLog(controller);
    await removeStageSets(playground);
  });

  after(async () => {
    await controller.stop();
    await proxy.stop();
  });

  for (const resource of ['jobs', 'configmaps']) {
    it(`leaves nothing of it behind: ${resource} on their way`, async () => {
      const isCreate = (seen: SeenRequest): boolean =>
        seen.method === 'POST' && isFor(resource)(seen);
      const fault = { kind: 'Delay', milliseconds: slow } as const;
      const disarm = proxy.inject({ match: isCreate, times: 1, fault });
      const created = proxy.next(isCreate);
      const shop = await TestNamespace.create(playground);
      await shop.publish('app', 'v1', [configMap('app')]);
      await shop.publish('migrations', 'v1', [migrate, configMap('settings')]);
      const pre = [{ name: 'migrate', job: { sourceRef: { name: 'migrations' } } }];
      await shop.createStageSet([{ name: 'app', sourceRef: { name: 'app' }, actions: { pre } }]);
      await created;
      await shop.deleteStageSet();
      await shop.untilStageSetGone();
      disarm();
      // Whatever the API server was still to be told has come to it by then.
      await delay(slow);
      expect(await shop.owned('batch/v1', 'Job')).to.deep.equal([]);
      const jobs = await shop.client.list({ ...jobKind, namespace: shop.name }, shop.call);
      expect(jobs.items.map(({ metadata }) => metadata.name)).to.deep.equal([]);
      expect(await shop.configMapNames()).to.deep.equal([]);
    });
  }
});
