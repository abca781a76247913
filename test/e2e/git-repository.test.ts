import { expect } from 'chai';
import type { ControllerProcess } from '../../dev/controller-process.ts';
import { GitServer } from '../../dev/flux/git-server.ts';
import { SourceController } from '../../dev/flux/source-controller.ts';
import { WorkingCopy } from '../../dev/flux/working-copy.ts';
import { fieldOf } from '../fields.ts';
import { configMap } from '../objects.ts';
import { removeStageSets, sharedPlayground, showLog } from '../playground.ts';
import { TestNamespace } from '../test-namespace.ts';

const repository = {
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'GitRepository',
  metadata: { name: 'shop' },
};

/** Everything between a commit and the cluster is real: Git, Flux's source-controller, this one. */
describe('a commit that Flux fetches', () => {
  let controller: ControllerProcess | undefined;
  let flux: SourceController | undefined;
  let server: GitServer | undefined;

  before(async function () {
    // The first build of source-controller takes minutes.
    this.timeout(1_800_000);
    const playground = await sharedPlayground();
    server = await GitServer.start();
    flux = await SourceController.start(playground.cluster.kubeconfig);
    controller = await playground.startController({
      flags: ['--log-level=debug', `--allowed-artifact-hosts=${flux.artifactHost}`],
    });
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') {
      showLog(controller);
      process.stderr.write(`--- source-controller ---\n${flux?.log.slice(-25).join('\n')}\n`);
    }
    await removeStageSets(await sharedPlayground());
  });

  after(async () => {
    await controller?.stop();
    await flux?.stop();
    await server?.stop();
  });

  /** Pushes, waits until all of it is rolled out, and says how long that took. */
  async function deliver(
    shop: TestNamespace,
    what: string,
    push: () => Promise<string>,
    tellFlux: () => Promise<void>,
  ): Promise<void> {
    const begun = performance.now();
    const revision = await push();
    await tellFlux();
    const ready = shop.untilReady(revision);
    await shop.untilObject(
      repository,
      ({ status }) => fieldOf(status, 'artifact', 'revision') === revision,
    );
    const fetched = performance.now();
    await ready;
    const done = performance.now();
    const times = `artifact to Ready ${Math.round(done - fetched)} ms, push to Ready ${Math.round(done - begun)} ms`;
    process.stdout.write(`      ${what}: ${times}\n`);
  }

  it('is rolled out, and so is the next one', async () => {
    const shop = await TestNamespace.create(await sharedPlayground());
    const url = (await server?.create('shop')) ?? '';
    const copy = await WorkingCopy.clone(url);
    const release = (text: string): Record<string, string> => ({
      'one/first.yaml': JSON.stringify(configMap('first', { release: text })),
      'two/second.yaml': JSON.stringify(configMap('second', { release: text })),
    });
    const stages = ['one', 'two'].map((name) => ({
      name,
      path: `./${name}`,
      sourceRef: { kind: 'GitRepository', name: 'shop' },
    }));
    await shop.createStageSet(stages);
    await deliver(
      shop,
      'first commit',
      async () => await copy.push(release('one')),
      async () => {
        const spec = { interval: '1h', url, ref: { branch: 'main' } };
        await shop.create({ ...repository, spec });
      },
    );
    expect(await shop.configMapNames()).to.deep.equal(['first', 'second']);

    await deliver(
      shop,
      'next commit',
      async () => await copy.push({ ...release('two'), 'two/third.yaml': third }),
      async () => {
        // What a webhook of the Git server does by way of Flux's notification-controller.
        const annotations = { 'reconcile.fluxcd.io/requestedAt': 'push' };
        await shop.patch(repository, { metadata: { annotations } });
      },
    );
    expect(await shop.configMapNames()).to.deep.equal(['first', 'second', 'third']);
    expect((await shop.find(configMap('first')))?.['data']).to.deep.equal({ release: 'two' });
    await copy.remove();
  });
});

const third = JSON.stringify(configMap('third'));
