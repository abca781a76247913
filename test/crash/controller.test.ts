import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { freePorts } from '../../dev/cluster/ports.ts';
import type { ControllerProcess } from '../../dev/controller-process.ts';
import type { Playground } from '../../dev/playground.ts';
import { configMap, configMaps, deployment, withMetadata } from '../objects.ts';
import { removeStageSets, sharedPlayground, showLog } from '../playground.ts';
import { phasesOf, TestNamespace } from '../test-namespace.ts';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

describe('a controller that ends while a release is under way', () => {
  let playground: Playground;
  let controller: ControllerProcess;

  before(async () => {
    playground = await sharedPlayground();
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') showLog(controller);
    await removeStageSets(playground);
    await controller.stop();
  });

  /** Stage one is done, stage two waits for its Deployment. */
  async function untilHalfWay(): Promise<TestNamespace> {
    const shop = await TestNamespace.create(playground);
    await shop.publish('one', 'v1', configMaps('one', 10));
    await shop.publish('two', 'v1', [configMap('two'), deployment('web')]);
    await shop.publish('three', 'v1', [configMap('three')]);
    await shop.createStageSet(['one', 'two', 'three']);
    await shop.untilPhase('two', 'Verifying');
    return shop;
  }

  it('goes on after kill -9 where it was, and writes nothing twice', async () => {
    controller = await playground.startController();
    const shop = await untilHalfWay();
    const before = await shop.configMapVersions();
    await controller.kill();
    expect(phasesOf(await shop.untilPhase('two', 'Verifying'))).to.deep.equal([
      'Ready',
      'Verifying',
      'Pending',
    ]);

    controller = await playground.startController();
    await shop.reportDeployment('web', 'Available');
    await shop.untilReady('v1');
    const after = await shop.configMapVersions();
    expect(after).to.include(before);
    expect(Object.keys(after).length).to.equal(12);
    const [web] = await shop.owned('apps/v1', 'Deployment');
    expect(web?.metadata.generation).to.equal(1);
    expect(await shop.inventories()).to.deep.equal(
      await shop.ownedByStage([
        ['v1', 'ConfigMap'],
        ['apps/v1', 'Deployment'],
      ]),
    );
    expect(await shop.eventReasons()).to.deep.equal(['Succeeded']);
  });

  it('finishes a teardown that was cut off, in the same order', async () => {
    controller = await playground.startController();
    const shop = await TestNamespace.create(playground);
    const finalizers = ['example.com/hold'];
    await shop.publish('one', 'v1', [configMap('one')]);
    await shop.publish('two', 'v1', [withMetadata(configMap('two'), { finalizers })]);
    await shop.createStageSet(['one', 'two']);
    await shop.untilReady('v1');
    await shop.deleteStageSet();
    await shop.untilObject(configMap('two'), ({ metadata }) => 'deletionTimestamp' in metadata);
    await controller.kill();

    controller = await playground.startController();
    expect((await shop.find(configMap('one')))?.metadata).not.to.have.property('deletionTimestamp');
    await shop.patch(configMap('two'), { metadata: { finalizers: null } });
    await shop.untilStageSetGone();
    expect(await shop.configMapNames()).to.deep.equal([]);
  });

  it('picks up what changed while it was down', async () => {
    controller = await playground.startController();
    const shop = await TestNamespace.create(playground);
    await shop.publish('app', 'v1', [configMap('web'), configMap('dropped')]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    await controller.kill();
    await shop.publish('app', 'v2', [configMap('web', { release: 'two' })]);
    controller = await playground.startController();
    await shop.untilReady('v2');
    expect(await shop.configMapNames()).to.deep.equal(['web']);
  });

  it('ends on SIGTERM within seconds, with exit code 0', async () => {
    const [health] = await freePorts(1);
    const child = spawn(
      process.execPath,
      [
        main,
        `--kubeconfig=${playground.cluster.kubeconfig}`,
        `--kustomize-binary=${join(playground.cluster.assets, 'kustomize')}`,
        `--allowed-artifact-hosts=${playground.artifacts.host}`,
        `--health-probe-bind-address=127.0.0.1:${health}`,
        '--metrics-bind-address=0',
        '--gate-bind-address=',
      ],
      { stdio: 'ignore' },
    );
    const exited = once(child, 'exit');
    const shop = await untilHalfWay();
    const asked = performance.now();
    child.kill('SIGTERM');
    expect(await exited).to.deep.equal([0, null]);
    expect(performance.now() - asked).to.be.below(5_000);

    controller = await playground.startController();
    await shop.reportDeployment('web', 'Available');
    await shop.untilReady('v1');
  });
});
