import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ControllerProcess } from '../../dev/controller-process.ts';
import type { Playground } from '../../dev/playground.ts';
import { FaultProxy } from '../faults/proxy.ts';
import { removeStageSets, sharedPlayground, showLog } from '../playground.ts';
import { type CrashPoint, liveThroughCrash } from './crash-point.ts';
import { Matrix } from './matrix.ts';
import { TwoStages } from './two-stages.ts';
import { changes, nameOf, nth } from './writes.ts';

/** Far more writes than the life of that StageSet takes. */
const tooMany = 150;

describe('a controller that is killed at a write', () => {
  let playground: Playground;
  let proxy: FaultProxy;
  let kubeconfig: string;
  let controller: ControllerProcess;

  async function startController(): Promise<ControllerProcess> {
    return await playground.startController({ kubeconfig, flags: ['--log-level=debug'] });
  }

  before(async () => {
    playground = await sharedPlayground();
    proxy = await FaultProxy.start(playground.identities.singleTenant);
    kubeconfig = join(playground.cluster.directory, 'matrix.kubeconfig');
    await writeFile(kubeconfig, proxy.kubeconfig);
    controller = await startController();
  });

  after(async () => {
    await controller.stop();
    await proxy.stop();
  });

  /** One life with a crash at its n-th write. Returns that write, or undefined where it has fewer. */
  async function liveThrough(
    n: number | 'Release',
    carriedOut: CrashPoint['carriedOut'],
  ): Promise<{ write: string | undefined; problem: Error | undefined }> {
    const life = await TwoStages.create(playground, proxy.requests, 'Answered');
    const write = n === 'Release' ? releaseIn(life.shop.name) : nth(n, changes(life.shop.name));
    return await liveThroughCrash(proxy, { write, carriedOut }, async () => await life.live(), {
      kill: async () => await controller.kill(),
      start: async () => {
        controller = await startController();
      },
    });
  }

  const times = {
    'before the API server gets it': 'NotCarriedOut',
    'after the API server has done it': 'CarriedOut',
  } as const;
  for (const [when, carriedOut] of Object.entries(times)) {
    it(`brings everything to the same end, ${when}`, async function () {
      this.timeout(300_000);
      const matrix = new Matrix(`killed ${when}`);
      const tryPoint = async (n: number | 'Release'): Promise<boolean> => {
        const started = performance.now();
        const { write, problem } = await liveThrough(n, carriedOut);
        if (problem !== undefined) {
          showLog(controller);
          await removeStageSets(playground);
        }
        if (write === undefined) {
          if (problem !== undefined) throw problem;
          return false;
        }
        matrix.add({ point: n, write, problem, milliseconds: performance.now() - started });
        return true;
      };
      let n = 1;
      while (n < tooMany && (await tryPoint(n))) n += 1;
      // A slow life shows its progress by further writes, so the last one has no fixed number.
      expect(await tryPoint('Release'), 'the finalizer was released').to.equal(true);
      matrix.print();
      expect(matrix.failures()).to.deep.equal([]);
      expect(matrix.size).to.be.within(25, tooMany - 2);
      expect(matrix.writes()).to.include.members([...everyKindOfWrite]);
    });
  }
});

/** What must have been among the points, whatever the order. */
const everyKindOfWrite = [
  'PATCH stagesets/shop',
  'PATCH stagesets/shop/status',
  'POST stageinventories',
  'PATCH configmaps/moved',
  'DELETE configmaps/dropped-one',
] as const;

/** The second write of the StageSet itself: the first adds the finalizer. */
function releaseIn(namespace: string): CrashPoint['write'] {
  const isChange = changes(namespace);
  return nth(2, (seen) => isChange(seen) && nameOf(seen) === 'PATCH stagesets/shop');
}
