import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type RunningApi, startApi } from '../../dev/aggregated-api.ts';
import { minutes } from '../../src/core/time.ts';
import { ApiError } from '../../src/kubernetes/api-error.ts';
import { KubernetesClient } from '../../src/kubernetes/client.ts';
import { Connection } from '../../src/kubernetes/connection.ts';
import { InFlightLimit } from '../../src/kubernetes/in-flight-limit.ts';
import { FaultProxy } from '../faults/proxy.ts';
import { configMap, configMaps } from '../objects.ts';
import { removeStageSets, sharedPlayground, showLog } from '../playground.ts';
import { TestNamespace } from '../test-namespace.ts';

const group = '/apis/subresources.stages.metio.wtf/v1';

/** Of one user; more than the API makes at once, and less than it takes of one user. */
const storm = 20;

/** Plans of one user that the API makes at once. */
const mostOfOneUser = 6;

/** Milliseconds that a dry-run takes, as behind a slow webhook. */
const slowness = 2000;

/** Milliseconds that a machine with other work may add to a moment, whatever the controller does. */
const noise = 100;

describe('plans that hang on slow dry-runs', () => {
  let proxy: FaultProxy;
  let directory: string;
  let api: RunningApi;
  let connection: Connection;

  before('start a controller with the API behind a fault proxy', async () => {
    const playground = await sharedPlayground();
    proxy = await FaultProxy.start(playground.cluster.kubeconfig);
    directory = await mkdtemp(join(tmpdir(), 'plan-share-'));
    const kubeconfig = join(directory, 'kubeconfig');
    await writeFile(kubeconfig, proxy.kubeconfig, { mode: 0o600 });
    api = await startApi(playground, { kubeconfig, flags: ['--log-level=debug'] });
    connection = await Connection.open({ kind: 'File', path: playground.cluster.kubeconfig });
    const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'asks' };
    const everybody = { ...role, kind: 'Group', name: 'system:authenticated' };
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: 'asks' } };
    const rules = [
      { apiGroups: ['subresources.stages.metio.wtf'], resources: ['*'], verbs: ['get'] },
    ];
    const call = { signal: AbortSignal.timeout(30_000) };
    const { client } = playground;
    await client.create({ ...rbac, kind: 'ClusterRole', rules }, {}, call);
    const binding = { ...rbac, kind: 'ClusterRoleBinding', roleRef: role, subjects: [everybody] };
    await client.create(binding, {}, call);
  });
  afterEach('remove the StageSets of the test', async function () {
    if (this.currentTest?.state === 'failed') showLog(api.process);
    await removeStageSets(await sharedPlayground());
  });
  after('stop it', async () => {
    await api.process.stop();
    await proxy.stop();
    await connection.close();
    await rm(directory, { recursive: true });
    const { cluster } = await sharedPlayground();
    await cluster.kubectl(['delete', 'clusterrole,clusterrolebinding', 'asks']);
  });

  /** Somebody who asks as often as they like, and once only. */
  function user(name: string): KubernetesClient {
    return KubernetesClient.connect(connection, { attempts: 1 })
      .impersonating(name)
      .withLimit(new InFlightLimit(storm));
  }

  async function ready(objects: number): Promise<TestNamespace> {
    const shop = await TestNamespace.create(await sharedPlayground());
    await shop.publish('web', 'v1', configMaps('web', objects));
    await shop.createStageSet(['web']);
    await shop.untilReady('v1');
    return shop;
  }

  async function timed(work: () => Promise<unknown>): Promise<number> {
    const began = performance.now();
    await work();
    return performance.now() - began;
  }

  /** Milliseconds from a new revision to its being Ready; the median of five. */
  async function reconcileTime(shop: TestNamespace, round: string): Promise<number> {
    const times: number[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      const revision = `${round}-${turn}`;
      await shop.publish('web', revision, [configMap('web-0', { revision })]);
      times.push(await timed(async () => await shop.untilReady(revision)));
    }
    return times.sort((one, other) => one - other)[2] ?? NaN;
  }

  const pathOf = ({ name }: TestNamespace, resource: string): string =>
    `${group}/namespaces/${name}/stagesets/shop/${resource}`;

  it('delay neither a reconcile, nor small requests, nor the plans of others', async () => {
    const slow = await ready(20);
    const quick = await ready(3);
    await reconcileTime(quick, 'warm');
    const alone = await reconcileTime(quick, 'alone');
    const isSlow = ({ method, url }: { method: string; url: string }): boolean =>
      method === 'PATCH' && url.includes(`/${slow.name}/`) && url.includes('dryRun=All');
    proxy.inject({ match: isSlow, fault: { kind: 'Delay', milliseconds: slowness } });

    const enough = new AbortController();
    const hanging = proxy.next(isSlow);
    const stormer = user('storm');
    const refusals: ApiError[] = [];
    const plans = Array.from({ length: storm }, async () => {
      const call = { signal: enough.signal, timeout: minutes(1) };
      try {
        await stormer.raw({ method: 'GET', path: pathOf(slow, 'plan') }, call);
      } catch (error) {
        if (error instanceof ApiError) refusals.push(error);
        if (refusals.length === storm - mostOfOneUser) enough.abort(new Error('enough'));
      }
    });
    await hanging;
    const beside = await reconcileTime(quick, 'beside');
    const get = async (who: string, path: string): Promise<number> => {
      const client = user(who);
      return await timed(async () => await client.raw({ method: 'GET', path }, quick.call));
    };
    const times = {
      discovery: await get('dora', group),
      // Nobody has asked for these users before: each needs a SubjectAccessReview.
      history: await get('hugo', pathOf(quick, 'history')),
      stageSet: await get('stan', pathOf(quick, '').slice(0, -1)),
      plan: await get('pia', pathOf(quick, 'plan')),
    };
    await Promise.all(plans);
    const shown = Object.entries(times).map(([name, time]) => `${name} ${time.toFixed(0)} ms`);
    process.stdout.write(
      `      reconcile alone ${alone.toFixed(0)} ms, beside ${storm} plans ${beside.toFixed(0)} ms; ` +
        `${shown.join(', ')}\n`,
    );
    expect(beside).to.be.lessThan(2 * alone + noise);
    for (const time of Object.values(times)) expect(time).to.be.lessThan(1000);
    // Those who found no place in ten seconds were told to come again.
    expect(refusals.map(({ code }) => code)).to.deep.equal(refusals.map(() => 429));
    expect(refusals.map(({ retryAfter }) => retryAfter)).to.deep.equal(refusals.map(() => 2000));
  });
});
