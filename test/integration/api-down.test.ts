import { expect } from 'chai';
import { prepareApi, untilServed } from '../../dev/aggregated-api.ts';
import type { ControllerProcess } from '../../dev/controller-process.ts';
import type { Playground } from '../../dev/playground.ts';
import { startCagedPlayground } from '../canary.ts';

/** Milliseconds within which a namespace must be gone (apiserver.md, section 4). */
const bound = 60_000;

describe('a cluster whose aggregated API is killed', () => {
  let playground: Playground;
  let api: ControllerProcess;
  let apiFlags: readonly string[];

  before('start an API and a controller apart from it', async function () {
    this.timeout(180_000);
    playground = await startCagedPlayground({ name: 'down', controllerManager: 'with' });
    const { flags, serving } = await prepareApi(playground);
    apiFlags = ['--roles=api', '--manage-apiservice=false', ...flags, ...serving];
    api = await playground.startController({ flags: apiFlags });
    const alive = ['--roles=controller', '--manage-apiservice=true', ...flags];
    await playground.startController({ flags: alive });
    await untilServed(playground);
  });
  after('stop the cluster', async () => {
    await playground.stop();
  });

  async function deleteNamespace(name: string): Promise<number> {
    await kubectl('create', 'namespace', name);
    const began = performance.now();
    await kubectl('delete', 'namespace', name, `--timeout=${2 * bound}ms`);
    return performance.now() - began;
  }

  async function kubectl(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await playground.cluster.kubectl(args);
    expect(code, `${args.join(' ')}\n${stderr}`).to.equal(0);
    return stdout;
  }

  it('still deletes namespaces within a minute, lists pods, and gets the API back', async function () {
    this.timeout(240_000);
    const before = await deleteNamespace('while-it-serves');
    await api.kill();
    const began = performance.now();
    const pods = await kubectl('get', 'pods', '-A');
    expect(pods).to.equal('');
    const listed = performance.now() - began;
    // The worst moment: kube-apiserver knows that nobody answers, and nobody has withdrawn it yet.
    await kubectl(
      'wait',
      'apiservice/v1.subresources.stages.metio.wtf',
      '--for=condition=Available=False',
      '--timeout=60s',
    );
    const down = await deleteNamespace('while-it-is-down');
    api = await playground.startController({ flags: apiFlags });
    await untilServed(playground);
    const back = await deleteNamespace('when-it-is-back');
    process.stdout.write(
      `      a namespace was gone after ${seconds(before)} while the API served, ` +
        `${seconds(down)} after it was killed, ${seconds(back)} when it was back; ` +
        `pods were listed in ${seconds(listed)}\n`,
    );
    expect(down).to.be.lessThan(bound);
    expect(back).to.be.lessThan(bound);
  });
});

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
