import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { stagesApiVersion } from '../../src/types/stages.ts';
import { canary } from '../canary.ts';
import { type KubeconfigParts, kubeconfigOf, refusedFields } from '../kubeconfigs.ts';
import { configMap, serviceAccount } from '../objects.ts';
import { useController } from '../playground.ts';
import { kubeconfigSecret, toParis } from '../remote-cluster.ts';
import type { TestNamespace } from '../test-namespace.ts';

/** Addresses at which a tenant must reach nothing, in every spelling. */
const addresses: [string, RegExp][] = [
  ['https://127.0.0.1:6443', /loopback/],
  ['https://2130706433:6443', /loopback/],
  ['https://0x7f.1:6443', /loopback/],
  ['https://[::1]:6443', /loopback/],
  ['https://[::ffff:127.0.0.1]:6443', /loopback/],
  ['https://localhost:6443', /loopback/],
  ['https://0.0.0.0:6443', /unspecified/],
  ['https://169.254.169.254', /link-local/],
  ['https://[fe80::1]:6443', /link-local/],
  ['https://[fd00:ec2::254]', /metadata service/],
  ['https://100.100.100.200', /metadata service/],
];

describe('attack 32: a kubeconfig that runs, reads or leads where it must not ([gap] it is refused, part A 9.3)', () => {
  const stand = useController();

  async function said(shop: TestNamespace, reason = 'StageFailed'): Promise<string> {
    return await shop.untilReason(reason);
  }

  async function shopWith(parts: KubeconfigParts): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await shop.create(kubeconfigSecret(kubeconfigOf(parts)));
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app'], toParis);
    return shop;
  }

  for (const [path, parts] of refusedFields) {
    it(`[gap] with ${path} runs nothing, reads nothing, and says why`, async () => {
      const message = await said(await shopWith(parts));
      expect(message)
        .to.include(path)
        .and.match(/^Stage app: connect to target cluster: /);
      expect(existsSync('/tmp/canary')).to.equal(false);
    });
  }

  for (const [server, why] of addresses) {
    it(`[gap] that leads to ${server} is stopped at the dial-time guard`, async () => {
      const user = { token: canary };
      const shop = await shopWith({ cluster: { server }, user });
      const message = await said(shop);
      expect(message).to.match(why).and.include('no API server is reached at');
      expect(message).to.not.include(canary);
    });
  }

  it('leaves no credential in any log, event, status or metric', async () => {
    const parts = { cluster: { server: 'https://127.0.0.1:1' } };
    const shop = await shopWith({ ...parts, user: { username: 'ada', password: canary } });
    await said(shop);
    const basic = Buffer.from(`ada:${canary}`).toString('base64');
    const { client, call, name: namespace } = shop;
    const told = [
      stand.controller.log.join('\n'),
      await (await fetch(stand.controller.metricsUrl)).text(),
    ];
    for (const [apiVersion, kind] of [
      ['v1', 'Event'],
      ['events.k8s.io/v1', 'Event'],
      [stagesApiVersion, 'StageSet'],
      [stagesApiVersion, 'StageRun'],
      [stagesApiVersion, 'StageInventory'],
    ] as const) {
      told.push(JSON.stringify(await client.list({ apiVersion, kind, namespace }, call)));
    }
    for (const text of told) expect(text).to.not.include(canary).and.not.include(basic);
  });
});

describe('attack 117: a ConfigMap of a tenant that leads a token inside (edge case 15: its address is judged as that of a kubeconfig, part A 9.3)', () => {
  const stand = useController();

  for (const [address, why] of addresses) {
    it(`shows no token at ${address}`, async () => {
      const shop = await stand.namespace();
      await shop.create(serviceAccount('courier'));
      const description = {
        provider: 'generic',
        serviceAccountName: 'courier',
        audiences: 'paris',
      };
      await shop.create(configMap('paris', { ...description, address }));
      await shop.publish('app', 'v1', [configMap('web')]);
      await shop.createStageSet(['app'], { kubeConfig: { configMapRef: { name: 'paris' } } });
      const message = await shop.untilMessage((text) => text.includes('ConfigMap'));
      expect(message).to.match(why).and.include('no API server is reached at');
    });
  }
});
