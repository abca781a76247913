import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ControllerProcess } from '../../dev/controller-process.ts';
import type { Playground } from '../../dev/playground.ts';
import { type Fault, type SeenRequest, statusAnswer } from '../faults/faults.ts';
import { FaultProxy } from '../faults/proxy.ts';
import { removeStageSets, sharedPlayground, showLog } from '../playground.ts';
import { Matrix, problemOf } from './matrix.ts';
import { TwoStages } from './two-stages.ts';
import { changes, nameOf, nth } from './writes.ts';

/** Every third write, from another one for each fault, so that together they hit all of them. */
const step = 3;
/** A request that nobody answers takes half a minute, so there are fewer of these. */
const silentStep = 9;
const lastPoint = 36;
/** Lives that go on side by side, each in a namespace of its own: as many as there are workers. */
const together = 4;

describe('a write that goes wrong under a controller that lives on', () => {
  let playground: Playground;
  let proxy: FaultProxy;
  let controller: ControllerProcess;

  before(async () => {
    playground = await sharedPlayground();
    proxy = await FaultProxy.start(playground.identities.singleTenant);
    const kubeconfig = join(playground.cluster.directory, 'broken-writes.kubeconfig');
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

  async function tryPoint(n: number, fault: Fault, matrix: Matrix): Promise<void> {
    const started = performance.now();
    const life = await TwoStages.create(playground, proxy.requests, 'Effective');
    const isPoint = nth(n, changes(life.shop.name));
    let hit: SeenRequest | undefined;
    const disarm = proxy.inject({
      match: (seen) => {
        if (!isPoint(seen)) return false;
        hit = seen;
        return true;
      },
      fault,
    });
    const problem = await problemOf(life.live());
    disarm();
    if (hit === undefined) {
      if (problem !== undefined) throw problem;
      return;
    }
    matrix.add({
      point: n,
      write: nameOf(hit),
      problem,
      milliseconds: performance.now() - started,
    });
  }

  const faults: readonly (readonly [string, Fault])[] = [
    ['the connection is reset before it', { kind: 'Reset' }],
    ['the connection is reset instead of its answer', { kind: 'ResetAfter' }],
    [
      'the answer is 429 with Retry-After',
      statusAnswer(429, 'TooManyRequests', { 'retry-after': '1' }),
    ],
    ['the answer is 500', statusAnswer(500, 'InternalError')],
    ['it gets to the API server two seconds late', { kind: 'Delay', milliseconds: 2_000 }],
    ['no answer comes', { kind: 'Silence' }],
  ];

  for (const [index, [what, fault]] of faults.entries()) {
    it(`ends where it would have ended: ${what}`, async function () {
      this.timeout(600_000);
      const matrix = new Matrix(what);
      const points: number[] = [];
      const stride = fault.kind === 'Silence' ? silentStep : step;
      for (let n = 1 + (index % step); n <= lastPoint; n += stride) points.push(n);
      const wanted = points.length;
      const worker = async (): Promise<void> => {
        for (let n = points.shift(); n !== undefined; n = points.shift()) {
          await tryPoint(n, fault, matrix);
        }
      };
      await Promise.all(Array.from({ length: together }, worker));
      matrix.print();
      expect(matrix.failures()).to.deep.equal([]);
      // The last point or two may lie behind the last write.
      expect(matrix.size).to.be.at.least(wanted - 2);
    });
  }
});
