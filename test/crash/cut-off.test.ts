import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ControllerProcess } from '../../dev/controller-process.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import type { SeenRequest } from '../faults/faults.ts';
import { FaultProxy } from '../faults/proxy.ts';
import { configMap } from '../objects.ts';
import { removeStageSets, sharedPlayground, showLog } from '../playground.ts';
import { TestNamespace } from '../test-namespace.ts';
import { type CrashPoint, cutOffAt } from './crash-point.ts';

/** A stage of three objects: one stays as it is, one changes, one goes and one comes. */
function objectsOf(stage: string, release: 'v1' | 'v2'): KubernetesObject[] {
  return [
    configMap(`same-${stage}`),
    configMap(`changed-${stage}`, { release }),
    configMap(release === 'v1' ? `dropped-${stage}` : `added-${stage}`),
  ];
}

function patches(path: string): (seen: SeenRequest) => boolean {
  return ({ method, url }) =>
    method === 'PATCH' && url.includes(`${path}?`) && !url.includes('dryRun');
}

function deletes(name: string): (seen: SeenRequest) => boolean {
  return ({ method, url }) => method === 'DELETE' && url.includes(`/configmaps/${name}`);
}

/** A write of a stage's inventory; the second one shrinks it after the prune. */
function inventory(stage: string, which: 1 | 2): (seen: SeenRequest) => boolean {
  let seenSoFar = 0;
  return ({ method, url }) => {
    if (method !== 'PATCH' || !url.includes(`/stageinventories/shop-${stage}-00-`)) return false;
    seenSoFar += 1;
    return seenSoFar === which;
  };
}

const points: Readonly<Record<string, CrashPoint>> = {
  'before the inventory of stage one is extended': {
    write: inventory('one', 1),
    carriedOut: 'NotCarriedOut',
  },
  'after the inventory of stage one was extended': {
    write: inventory('one', 1),
    carriedOut: 'CarriedOut',
  },
  'after the first object of stage one was written': {
    write: patches('/configmaps/changed-one'),
    carriedOut: 'CarriedOut',
  },
  'after the inventory of stage two was extended': {
    write: inventory('two', 1),
    carriedOut: 'CarriedOut',
  },
  'before an object of stage two is written': {
    write: patches('/configmaps/added-two'),
    carriedOut: 'NotCarriedOut',
  },
  'after an object of stage two was written': {
    write: patches('/configmaps/added-two'),
    carriedOut: 'CarriedOut',
  },
  'before the first object is pruned': {
    write: deletes('dropped-two'),
    carriedOut: 'NotCarriedOut',
  },
  'after an object was pruned, and before the inventory says so': {
    write: deletes('dropped-two'),
    carriedOut: 'CarriedOut',
  },
  'after the inventory of stage two shrank, and before stage one is pruned': {
    write: inventory('two', 2),
    carriedOut: 'CarriedOut',
  },
  'before the status says that it is done': {
    write: patches('/stagesets/shop/status'),
    carriedOut: 'NotCarriedOut',
  },
};

describe('a controller that is killed in the middle of a release', () => {
  let proxy: FaultProxy;
  let controller: ControllerProcess;

  async function startController(): Promise<ControllerProcess> {
    const playground = await sharedPlayground();
    const kubeconfig = join(playground.cluster.directory, 'proxied.kubeconfig');
    await writeFile(kubeconfig, proxy.kubeconfig);
    return await playground.startController({ kubeconfig, flags: ['--log-level=debug'] });
  }

  before(async () => {
    const { identities } = await sharedPlayground();
    proxy = await FaultProxy.start(identities.singleTenant);
    controller = await startController();
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') showLog(controller);
    await removeStageSets(await sharedPlayground());
  });

  after(async () => {
    await controller.stop();
    await proxy.stop();
  });

  async function releaseTwo(shop: TestNamespace): Promise<void> {
    // Both stages at once, so that one run has both.
    await shop.changeSpec({ suspend: true });
    await shop.untilReason('Suspended');
    for (const stage of ['one', 'two']) await shop.publish(stage, 'v2', objectsOf(stage, 'v2'));
  }

  for (const [when, point] of Object.entries(points)) {
    it(`finishes it after a restart: killed ${when}`, async () => {
      const shop = await TestNamespace.create(await sharedPlayground());
      for (const stage of ['one', 'two']) await shop.publish(stage, 'v1', objectsOf(stage, 'v1'));
      await shop.createStageSet(['one', 'two']);
      await shop.untilReady('v1');
      await releaseTwo(shop);
      const { reached, disarm } = cutOffAt(proxy, point);
      await shop.changeSpec({ suspend: false });
      await reached();
      await controller.kill();
      disarm();

      const interrupted = await shop.owned('v1', 'ConfigMap');
      controller = await startController();
      await shop.untilReady('v2');

      const ids = (stage: string): string[] =>
        ['added', 'changed', 'same'].map((name) => `${shop.name}_${name}-${stage}__ConfigMap`);
      expect(await shop.inventories()).to.deep.equal({ one: ids('one'), two: ids('two') });
      expect(await shop.ownedByStage([['v1', 'ConfigMap']])).to.deep.equal({
        one: ids('one'),
        two: ids('two'),
      });
      await expectUnmoved(shop, interrupted);
    });
  }
});

/** What was as it should be when the controller was killed has not been written again. */
async function expectUnmoved(
  shop: TestNamespace,
  interrupted: readonly KubernetesObject[],
): Promise<void> {
  const before = new Map(interrupted.map((object) => [object.metadata.name, object]));
  for (const after of await shop.owned('v1', 'ConfigMap')) {
    const { name, resourceVersion } = after.metadata;
    const then = before.get(name);
    const asItWas = JSON.stringify(then?.['data']) === JSON.stringify(after['data']);
    if (then !== undefined && asItWas)
      expect(resourceVersion, name).to.equal(then.metadata.resourceVersion);
  }
}
