import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ControllerProcess } from '../../dev/controller-process.ts';
import type { Playground } from '../../dev/playground.ts';
import { FaultProxy } from '../faults/proxy.ts';
import { removeStageSets, sharedPlayground, showLog } from '../playground.ts';
import { WebhookReceiver } from '../webhook-receiver.ts';
import { type CrashPoint, liveThroughCrash } from './crash-point.ts';
import { Matrix } from './matrix.ts';
import { type Hook, SixActions } from './six-actions.ts';
import { changes, nth } from './writes.ts';

/** Far more writes than the life of that StageSet takes. */
const tooMany = 60;

/** Writes between two points that are tried; the two times of a write take turns. */
const step = 2;

/** What one list leaves out between its points, the next one tries. */
const firstPoints: readonly (readonly [Hook, number])[] = [
  ['pre', 1],
  ['post', 3],
  ['onFailure', 1],
];

describe('a controller that is killed among the actions of a stage', () => {
  let playground: Playground;
  let proxy: FaultProxy;
  let kubeconfig: string;
  let receiver: WebhookReceiver;
  let controller: ControllerProcess;

  async function startController(): Promise<ControllerProcess> {
    const flags = ['--log-level=debug', `--local-action-hosts=${receiver.host}`];
    return await playground.startController({ kubeconfig, flags });
  }

  before(async () => {
    playground = await sharedPlayground();
    receiver = await WebhookReceiver.start();
    proxy = await FaultProxy.start(playground.identities.singleTenant);
    kubeconfig = join(playground.cluster.directory, 'actions-matrix.kubeconfig');
    await writeFile(kubeconfig, proxy.kubeconfig);
    controller = await startController();
  });

  after(async () => {
    await controller.stop();
    await proxy.stop();
    await receiver.stop();
  });

  /** One life with a crash at its n-th write; undefined where it has fewer. */
  async function liveThrough(
    n: number,
    hook: Hook,
    carriedOut: CrashPoint['carriedOut'],
  ): Promise<{ write: string | undefined; problem: Error | undefined }> {
    const life = await SixActions.create(playground, hook, receiver, proxy.requests);
    const write = nth(n, changes(life.shop.name));
    return await liveThroughCrash(proxy, { write, carriedOut }, async () => await life.live(), {
      kill: async () => {
        await controller.kill();
        await life.killed();
      },
      start: async () => {
        controller = await startController();
      },
    });
  }

  for (const [hook, first] of firstPoints) {
    it(`does nothing twice that is on record, and ends as ever: all types in ${hook}`, async function () {
      this.timeout(600_000);
      const matrix = new Matrix(`killed among ${hook} actions`);
      for (let n = first; n < tooMany; n += step) {
        const started = performance.now();
        const time = (n - first) % (2 * step) === 0 ? 'CarriedOut' : 'NotCarriedOut';
        const { write, problem } = await liveThrough(n, hook, time);
        if (problem !== undefined) {
          showLog(controller);
          if (write === undefined) throw problem;
        }
        if (write === undefined) break;
        const milliseconds = performance.now() - started;
        matrix.add({
          point: `${n} ${time === 'CarriedOut' ? 'after' : 'before'}`,
          write,
          problem,
          milliseconds,
        });
        await removeStageSets(playground);
      }
      matrix.print();
      expect(matrix.failures()).to.deep.equal([]);
      expect(matrix.size).to.be.within(6, tooMany / step - 1);
    });
  }
});
