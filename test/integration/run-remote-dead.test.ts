import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { canary } from '../canary.ts';
import { SilentServer } from '../dead-servers.ts';
import { kubeconfigOf } from '../kubeconfigs.ts';
import { configMap } from '../objects.ts';
import { removeStageSets, useController } from '../playground.ts';
import {
  allowLocalClusters,
  kubeconfigSecret,
  toParis,
  useRemoteCluster,
} from '../remote-cluster.ts';
import { createCrowd, expectFair, stageSets, type Times, timesToReady } from '../side-by-side.ts';
import type { TestNamespace } from '../test-namespace.ts';

/** A port on which nobody listens: the first one is nobody's on any machine. */
const nobody = 'https://127.0.0.1:1';

const dead = 40;

describe('a remote cluster that does not work', () => {
  const remote = useRemoteCluster();
  const stand = useController({
    flags: ['--log-level=debug', '--max-teardown-wait=5s', allowLocalClusters],
  });
  let silent: SilentServer;

  before('start a server that says nothing', async () => {
    silent = await SilentServer.start();
  });
  after('stop it', async () => {
    await silent.stop();
  });

  async function shopWith(kubeconfig: string): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await remote().join(shop);
    await shop.create(kubeconfigSecret(kubeconfig));
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app'], toParis);
    return shop;
  }

  const ways: [string, () => string | Promise<string>, RegExp][] = [
    ['refuses connections', () => kubeconfigOf({ cluster: { server: nobody } }), /ECONNREFUSED/],
    [
      'never answers',
      () => kubeconfigOf({ cluster: { server: silent.url } }),
      /Timeout|timeout|no answer within/,
    ],
    [
      'does not take the credentials',
      async () => kubeconfigOf({ cluster: await server(), user: { token: canary } }),
      /Unauthorized.*check the kubeconfig/,
    ],
    [
      'has another certificate',
      () => kubeconfigOf({ cluster: { server: remote().cluster.url } }),
      /certificate/,
    ],
  ];
  for (const [how, kubeconfig, why] of ways) {
    it(`because it ${how} is named by its reference, and delivered to once it is repaired`, async () => {
      const shop = await shopWith(await kubeconfig());
      const message = await shop.untilReason('StageFailed');
      expect(message).to.include(`cluster of Secret ${shop.name}/paris: `).and.match(why);
      expect(message).to.not.include(canary);
      const good = await remote().kubeconfig();
      await shop.patch(kubeconfigSecret(''), { stringData: { value: good } });
      await shop.untilReady('v1');
      expect(stand.controller.log.join('\n')).to.not.include(canary);
    });
  }

  it('because it was away is delivered to by itself when it is back', async function () {
    this.timeout(120_000);
    const shop = await shopWith(await remote().kubeconfig());
    await shop.untilReady('v1');
    await remote().cluster.killApiServer();
    await shop.publish('app', 'v2', [configMap('web', { text: 'new' })]);
    expect(await shop.untilReason('StageFailed')).to.include(`Secret ${shop.name}/paris`);
    await remote().cluster.restartApiServer();
    await shop.untilReady('v2', { within: 70_000 });
  });

  it('keeps a deleted StageSet no longer than --max-teardown-wait', async () => {
    const shop = await shopWith(await remote().kubeconfig());
    await shop.untilReady('v1');
    const gone = kubeconfigOf({ cluster: { server: nobody } });
    await shop.patch(kubeconfigSecret(''), { stringData: { value: gone } });
    await shop.deleteStageSet();
    await shop.untilStageSetGone({ within: 20_000 });
    expect(await remote().configMapNames(shop)).to.deep.equal(['web']);
  });

  it('takes its objects along although its Secret is deleted first, as with a namespace', async () => {
    const shop = await shopWith(await remote().kubeconfig());
    await shop.untilReady('v1');
    await shop.delete(kubeconfigSecret(''));
    await shop.deleteStageSet();
    await shop.untilStageSetGone({ within: 20_000 });
    expect(await remote().configMapNames(shop)).to.deep.equal([]);
  });

  it(`slows nobody: a healthy StageSet is Ready as soon beside ${dead} for a silent one`, async function () {
    this.timeout(300_000);
    await timesToReady(stand, 3);
    const times: Times = { alone: [], beside: [] };
    for (let round = 0; round < 2; round += 1) {
      times.alone.push(...(await timesToReady(stand, 4)));
      const shop = await stand.namespace();
      await shop.create(kubeconfigSecret(kubeconfigOf({ cluster: { server: silent.url } })));
      await shop.publish('app', 'v1', [configMap('web')]);
      await createCrowd(shop, dead, () => 'app', toParis);
      // At once, and when each of them has found out that nobody answers.
      times.beside.push(...(await timesToReady(stand, 3)));
      await shop.untilCollection(stageSets, (seen) =>
        [...seen.values()].every(({ status }) => JSON.stringify(status ?? {}).includes('"Ready"')),
      );
      times.beside.push(...(await timesToReady(stand, 2)));
      await removeStageSets(stand.playground);
    }
    expectFair(`beside ${dead} for a dead cluster`, times);
  });

  async function server(): Promise<Record<string, unknown>> {
    const { ca, url } = remote().cluster;
    const authority = await readFile(ca.certificate);
    return { server: url, 'certificate-authority-data': authority.toString('base64') };
  }
});
