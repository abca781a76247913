import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type Cluster, startCluster } from '../../dev/cluster/cluster.ts';
import { ControllerProcess } from '../../dev/controller-process.ts';

const crds = fileURLToPath(new URL('../../crds', import.meta.url));

/** A controller that cannot follow its cluster yet, and what it says of that. */
class Hampered {
  readonly #lines = new EventEmitter();
  readonly #log: string[] = [];
  readonly started: Promise<ControllerProcess>;
  isReady = false;

  constructor(kubeconfig: string, assets: string) {
    this.started = this.#start(kubeconfig, assets);
    // Whoever awaits it later hears of the failure; until then it is nobody's.
    this.started.catch(() => undefined);
  }

  /** The first warning with all of these words. @throws Error when the controller ends instead. */
  async untilWarning(...words: string[]): Promise<string> {
    const given = new AbortController();
    const find = (): string | undefined =>
      this.#log.find(
        (line) => line.includes('"level":"warn"') && words.every((word) => line.includes(word)),
      );
    const ended = this.started.then(() => {
      throw new Error('the controller is ready');
    });
    try {
      for (;;) {
        const found = find();
        if (found !== undefined) return found;
        await Promise.race([once(this.#lines, 'line', given), ended]);
      }
    } finally {
      given.abort();
      ended.catch(() => undefined);
    }
  }

  async #start(kubeconfig: string, assets: string): Promise<ControllerProcess> {
    const started = await ControllerProcess.start({
      kubeconfig,
      kustomizeBinary: join(assets, 'kustomize'),
      artifactHosts: [],
      onLog: (line) => {
        this.#log.push(line);
        this.#lines.emit('line');
      },
    });
    this.isReady = true;
    return started;
  }
}

describe('[edge case 39] a controller that cannot follow its own kinds (part A 2.1)', () => {
  let cluster: Cluster | undefined;
  let controller: ControllerProcess | undefined;
  beforeEach(async () => {
    cluster = await startCluster({ name: 'bare', controllerManager: 'without' });
  });
  afterEach(async () => {
    await controller?.stop();
    await cluster?.stop();
  });

  async function readiness(): Promise<number | undefined> {
    if (controller === undefined) return undefined;
    return (await fetch(`${controller.healthUrl}/readyz`)).status;
  }

  it('names the missing definition, and is ready as soon as that is there', async () => {
    if (cluster === undefined) throw new Error('no cluster');
    const { kubeconfig, assets, kubectl } = cluster;
    const hampered = new Hampered(kubeconfig, assets);
    await hampered.untilWarning('StageSet', 'stages.metio.wtf/v1');
    expect(hampered.isReady, 'ready without its definitions').to.equal(false);
    expect(await kubectl(['apply', '--server-side', '-f', crds])).to.include({ code: 0 });
    controller = await hampered.started;
    expect(await readiness()).to.equal(200);
  });

  it('names the missing permission, and is ready as soon as that is granted', async () => {
    if (cluster === undefined) throw new Error('no cluster');
    const { assets, kubectl } = cluster;
    expect(await kubectl(['apply', '--server-side', '-f', crds])).to.include({ code: 0 });
    const hampered = new Hampered(await cluster.kubeconfigFor('weak'), assets);
    await hampered.untilWarning('cannot list resource', 'stagesets', 'weak');
    expect(hampered.isReady, 'ready without permissions').to.equal(false);
    const all = ['--clusterrole=cluster-admin', '--user=weak'];
    const granted = await kubectl(['create', 'clusterrolebinding', 'weak', ...all]);
    expect(granted).to.include({ code: 0 });
    controller = await hampered.started;
    expect(await readiness()).to.equal(200);
  });
});
