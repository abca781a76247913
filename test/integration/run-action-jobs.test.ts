import { expect } from 'chai';
import type { ControllerProcess } from '../../dev/controller-process.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { type CagedPlayground, startCagedPlayground } from '../canary.ts';
import { Kubelet } from '../kubelet.ts';
import { configMap, serviceAccount } from '../objects.ts';
import { showLog } from '../playground.ts';
import { everyVerb, grant } from '../rbac.ts';
import { TestNamespace } from '../test-namespace.ts';

const jobKind = { apiVersion: 'batch/v1', kind: 'Job' };

function job(name: string): KubernetesObject {
  const containers = [{ name: 'migrate', image: 'registry.example.com/migrate:1' }];
  const pod = { restartPolicy: 'Never', nodeName: 'node-1', containers };
  return { ...jobKind, metadata: { name }, spec: { backoffLimit: 0, template: { spec: pod } } };
}

describe('a stage with a job action', () => {
  let playground: CagedPlayground;
  let kubelet: Kubelet;
  let controller: ControllerProcess;
  let shop: TestNamespace;

  before('start a cluster with the controller of Jobs', async () => {
    playground = await startCagedPlayground({ name: 'run-jobs', controllerManager: 'with' });
    kubelet = await Kubelet.start(playground.client);
    controller = await playground.startController({ flags: ['--log-level=debug'] });
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') showLog(controller);
  });

  after(async () => {
    await kubelet.stop();
    await playground.stop();
  });

  async function begin(action: Record<string, unknown> = {}): Promise<string> {
    shop = await TestNamespace.create(playground);
    await shop.create(serviceAccount('deployer'));
    const account = { namespace: shop.name, name: 'deployer' };
    const kinds = ['configmaps', 'jobs', 'pods', 'pods/log', 'externalartifacts'];
    const rules = [{ apiGroups: ['*'], resources: kinds, verbs: everyVerb }];
    await grant(shop, account, rules, 'deployer');
    await shop.publish('app', 'v1', [configMap('app')]);
    await shop.publish('migrations', 'v1', [job('migrate'), configMap('settings')]);
    const pre = [{ name: 'migrate', job: { sourceRef: { name: 'migrations' } }, ...action }];
    await shop.createStageSet([{ name: 'app', actions: { pre } }], {
      serviceAccountName: 'deployer',
    });
    return await untilJob();
  }

  async function untilJob(): Promise<string> {
    const jobs = await shop.untilCollection(jobKind, (all) => all.size > 0);
    return [...jobs.keys()][0] ?? '';
  }

  it('applies when the Job is complete, and nothing of it is left', async () => {
    const name = await begin();
    expect(await shop.find(configMap('app'))).to.equal(undefined);
    await kubelet.end(shop, name, { exitCode: 0 });
    const { status } = await shop.untilReady('v1');
    expect(status?.stages?.[0]?.executedActions).to.deep.equal(['migrate']);
    await shop.untilCollection(jobKind, (all) => all.size === 0);
    await shop.untilCollection({ apiVersion: 'v1', kind: 'ConfigMap' }, (all) =>
      [...all.keys()].every((each) => !each.startsWith('settings')),
    );
  });

  it('goes on with the same Job when the controller was killed', async () => {
    const name = await begin();
    const { uid } = (await shop.find(job(name)))?.metadata ?? {};
    await controller.kill();
    await kubelet.end(shop, name, { exitCode: 0 });
    await shop.untilObject(job(name), ({ status }) =>
      JSON.stringify(status).includes('"type":"Complete"'),
    );
    const uids = new Set<string | undefined>();
    const gone = shop.untilCollection(jobKind, (all) => all.size === 0, {
      onEvent: (_, { metadata }) => uids.add(metadata.uid),
    });
    controller = await playground.startController({ flags: ['--log-level=debug'] });
    await shop.untilReady('v1');
    await gone;
    expect([...uids]).to.deep.equal([uid]);
  });

  it('fails with what the container has said, and tries with a Job of its own', async () => {
    const first = await begin({ retries: 1 });
    const { uid } = (await shop.find(job(first)))?.metadata ?? {};
    await kubelet.end(shop, first, { exitCode: 3, message: 'no such table' });
    await shop.untilObject(job(first), ({ metadata }) => metadata.uid !== uid);
    await kubelet.end(shop, first, { exitCode: 4, output: 'gave up\n' });
    const message = await shop.untilReason('StageFailed');
    expect(message).to.include('action migrate after 2 attempts');
    expect(message).to.include('ended with exit code 4 (Error); its last output: gave up');
    expect(await shop.find(configMap('app'))).to.equal(undefined);
  });
});
