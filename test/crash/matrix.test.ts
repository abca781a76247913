import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ControllerProcess } from '../../dev/controller-process.ts';
import type { Playground } from '../../dev/playground.ts';
import { FaultProxy } from '../faults/proxy.ts';
import { removeStageSets, sharedPlayground, showLog } from '../playground.ts';
import { type CrashPoint, cutOffAt } from './crash-point.ts';
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
    proxy = await FaultProxy.start(playground.cluster.kubeconfig);
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
    n: number,
    carriedOut: CrashPoint['carriedOut'],
  ): Promise<{ write: string | undefined; problem: Error | undefined }> {
    const life = await TwoStages.create(playground, proxy.requests);
    const crash = cutOffAt(proxy, { write: nth(n, changes(life.shop.name)), carriedOut });
    const ended = new AbortController();
    const restarted = restartAfter(crash, ended.signal);
    try {
      const problem = await problemOf(life.live());
      if (crash.cutAt() === undefined) ended.abort();
      await restarted;
      const cut = crash.cutAt();
      return { write: cut === undefined ? undefined : nameOf(cut), problem };
    } finally {
      crash.disarm();
    }
  }

  async function restartAfter(
    crash: ReturnType<typeof cutOffAt>,
    ended: AbortSignal,
  ): Promise<void> {
    const reached = await crash.reached(ended).then(
      () => true,
      () => false,
    );
    if (!reached) return;
    await controller.kill();
    crash.disarm();
    controller = await startController();
  }

  const times = {
    'before the API server gets it': 'NotCarriedOut',
    'after the API server has done it': 'CarriedOut',
  } as const;
  for (const [when, carriedOut] of Object.entries(times)) {
    it(`brings everything to the same end, ${when}`, async function () {
      this.timeout(300_000);
      const matrix = new Matrix(`killed ${when}`);
      for (let n = 1; n < tooMany; n += 1) {
        const started = performance.now();
        const { write, problem } = await liveThrough(n, carriedOut);
        if (problem !== undefined) {
          showLog(controller);
          await removeStageSets(playground);
        }
        if (write === undefined) {
          if (problem !== undefined) throw problem;
          break;
        }
        matrix.add({ point: n, write, problem, milliseconds: performance.now() - started });
      }
      matrix.print();
      expect(matrix.failures()).to.deep.equal([]);
      expect(matrix.size).to.be.within(25, tooMany - 2);
    });
  }
});

async function problemOf(work: Promise<void>): Promise<Error | undefined> {
  return await work.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
}
