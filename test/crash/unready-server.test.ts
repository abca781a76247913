import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { ControllerProcess } from '../../dev/controller-process.ts';
import type { Playground } from '../../dev/playground.ts';
import { type Fault, isFor, isWrite, type SeenRequest, statusAnswer } from '../faults/faults.ts';
import { FaultProxy } from '../faults/proxy.ts';
import { configMap } from '../objects.ts';
import { removeStageSets, sharedPlayground, showLog } from '../playground.ts';
import { readyOf, TestNamespace } from '../test-namespace.ts';

const isReadyz = ({ url }: SeenRequest): boolean => url.startsWith('/readyz');

const isWorkload = (seen: SeenRequest): boolean => isFor('configmaps')(seen) && isWrite(seen);

const notReady: Fault = { kind: 'Answer', status: 500, body: '[-]poststarthook/rbac failed' };

const withoutEtcd: Fault = {
  kind: 'Answer',
  status: 500,
  body: {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    message: 'etcdserver: request timed out',
    code: 500,
  },
};

describe('an API server that answers before it is ready', () => {
  let playground: Playground;
  let proxy: FaultProxy;
  let controller: ControllerProcess;
  const disarms: (() => void)[] = [];

  before(async () => {
    playground = await sharedPlayground();
    proxy = await FaultProxy.start(playground.identities.singleTenant);
    const kubeconfig = join(playground.cluster.directory, 'unready.kubeconfig');
    await writeFile(kubeconfig, proxy.kubeconfig);
    controller = await playground.startController({ kubeconfig, flags: ['--log-level=debug'] });
  });

  afterEach(async function () {
    restore();
    if (this.currentTest?.state === 'failed') showLog(controller);
    await removeStageSets(playground);
  });

  after(async () => {
    await controller.stop();
    await proxy.stop();
  });

  function inject(match: (seen: SeenRequest) => boolean, fault: Fault): void {
    disarms.push(proxy.inject({ match, fault }));
  }

  function restore(): void {
    for (const disarm of disarms.splice(0)) disarm();
  }

  async function released(stage: Record<string, unknown> = {}): Promise<TestNamespace> {
    const shop = await TestNamespace.create(playground);
    await shop.publish('app', 'v1', [configMap('app', { release: 'v1' })]);
    await shop.createStageSet([{ name: 'app', sourceRef: { name: 'app' }, ...stage }]);
    await shop.untilReady('v1');
    return shop;
  }

  async function expectNoFailure(shop: TestNamespace): Promise<void> {
    expect(await shop.eventNotes('StageFailed')).to.deep.equal([]);
    expect(await shop.eventNotes('RBACDenied')).to.deep.equal([]);
  }

  for (const [what, fault] of [
    ['denies what is allowed', statusAnswer(403, 'Forbidden')],
    ['does not know a kind', statusAnswer(404, 'NotFound')],
    ['refuses a good token', statusAnswer(401, 'Unauthorized')],
    ['fails', statusAnswer(500, 'InternalError')],
  ] as const) {
    it(`and ${what} fails no stage`, async () => {
      const shop = await released();
      const back = proxy.inject({ match: () => true, fault: { kind: 'Reset' } });
      proxy.cutWatches();
      await delay(1500);
      inject(isReadyz, notReady);
      inject(isWorkload, fault);
      back();
      await shop.publish('app', 'v2', [configMap('app', { release: 'v2' })]);
      await proxy.next(isWorkload);
      await proxy.next(isReadyz);
      await delay(2000);
      restore();
      await shop.untilReady('v2', { within: 15_000 });
      await expectNoFailure(shop);
    });
  }

  it('and has no etcd fails no stage, however often it says so', async () => {
    const shop = await released();
    inject(isReadyz, notReady);
    inject(isWorkload, withoutEtcd);
    await shop.publish('app', 'v2', [configMap('app', { release: 'v2' })]);
    // More often than a single request may get no answer.
    for (let count = 0; count < 7; count += 1) await proxy.next(isWorkload);
    restore();
    await shop.untilReady('v2', { within: 15_000 });
    await expectNoFailure(shop);
  });

  const isOfNamespaces = (seen: SeenRequest): boolean => /^\/api\/v1\/namespaces\?/.test(seen.url);

  it('and does not tell of a new namespace yet fails none of its stages', async () => {
    inject(isOfNamespaces, { kind: 'Reset' });
    proxy.cutWatches();
    const shop = await released();
    await expectNoFailure(shop);
  });

  it('and does not tell of a new namespace yet lets nobody act as the controller', async () => {
    inject(isOfNamespaces, { kind: 'Reset' });
    proxy.cutWatches();
    const shop = await TestNamespace.create(playground);
    const namespace = { apiVersion: 'v1', kind: 'Namespace', name: shop.name };
    const annotations = { 'stages.metio.wtf/default-service-account': 'deployer' };
    const body = { metadata: { annotations } };
    await playground.client.patch(namespace, { type: 'Merge', body }, shop.call);
    await shop.publish('app', 'v1', [configMap('app')]);
    await shop.createStageSet(['app']);
    const failed = await shop.untilStageSet((seen) => readyOf(seen)?.status === 'False');
    expect(readyOf(failed)?.message).to.include('deployer');
    expect(await shop.configMapNames()).to.deep.equal([]);
  });

  it('fails a stage of which nothing else is heard although it is ready', async () => {
    const shop = await released();
    inject(isWorkload, statusAnswer(503, 'ServiceUnavailable'));
    await shop.publish('app', 'v2', [configMap('app', { release: 'v2' })]);
    const message = await shop.untilReason('StageFailed', { within: 60_000 });
    expect(message).to.include('fault: ServiceUnavailable');
    restore();
    await shop.request('now');
    await shop.untilReady('v2', { within: 15_000 });
  });
});

describe('an action that gets no answer of the API server', () => {
  let playground: Playground;
  let proxy: FaultProxy;
  let controller: ControllerProcess;

  before(async () => {
    playground = await sharedPlayground();
    proxy = await FaultProxy.start(playground.identities.singleTenant);
    const kubeconfig = join(playground.cluster.directory, 'silent.kubeconfig');
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

  const isLabelled = (seen: SeenRequest): boolean =>
    seen.method === 'PATCH' && seen.url.includes('/configmaps/labelled');

  /** Its first action is done anew each time; the second, which may be done once, is not begun. */
  async function labelling(): Promise<TestNamespace> {
    const shop = await TestNamespace.create(playground);
    await shop.create(configMap('labelled'));
    await shop.publish('app', 'v1', [configMap('app')]);
    const target = { apiVersion: 'v1', kind: 'ConfigMap', name: 'labelled' };
    const patch = (value: string): unknown => ({
      target,
      type: 'merge',
      patch: `{"data":{"${value}":"done"}}`,
    });
    const pre = [
      { name: 'label', patch: patch('label') },
      { name: 'seed', scope: 'Lifetime', patch: patch('seed') },
    ];
    await shop.createStageSet([{ name: 'app', sourceRef: { name: 'app' }, actions: { pre } }]);
    return shop;
  }

  it('[gap 7.5] counts as failed where the server answers others (part A 7.5)', async () => {
    const fault = statusAnswer(503, 'ServiceUnavailable');
    const disarm = proxy.inject({ match: isLabelled, fault });
    const shop = await labelling();
    const failed = await shop.untilStageSet((seen) => readyOf(seen)?.reason === 'StageFailed', {
      within: 60_000,
    });
    expect(failed.status?.actionFailureCount).to.equal(1);
    expect(readyOf(failed)?.message).to.include('action label: ');
    disarm();
    await shop.request('again');
    const { status } = await shop.untilReady('v1', { within: 15_000 });
    expect(status?.actionFailureCount ?? 0).to.equal(0);
  });

  it('waits for the end of an outage, however long, and counts as nothing', async () => {
    const disarms = [
      proxy.inject({ match: isLabelled, fault: statusAnswer(503, 'ServiceUnavailable') }),
      proxy.inject({ match: isReadyz, fault: notReady }),
    ];
    const shop = await labelling();
    for (let count = 0; count < 7; count += 1) await proxy.next(isLabelled);
    for (const disarm of disarms) disarm();
    const { status } = await shop.untilReady('v1', { within: 15_000 });
    expect(status?.actionFailureCount ?? 0).to.equal(0);
    expect(await shop.eventNotes('StageFailed')).to.deep.equal([]);
  });
});
