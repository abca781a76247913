import { expect } from 'chai';
import { canary } from '../canary.ts';
import { configMap, serviceAccount } from '../objects.ts';
import { useController } from '../playground.ts';
import { everyVerb, grant, type Rule } from '../rbac.ts';
import type { TestNamespace } from '../test-namespace.ts';

const annotation = 'stages.metio.wtf/default-service-account';
const configMapRights: Rule[] = [{ apiGroups: [''], resources: ['configmaps'], verbs: everyVerb }];

async function annotate(
  { client, name, call }: TestNamespace,
  value: string | null,
): Promise<void> {
  const body = { metadata: { annotations: { [annotation]: value } } };
  const reference = { apiVersion: 'v1', kind: 'Namespace', name };
  await client.patch(reference, { type: 'Merge', body }, call);
}

/** Lets an account of the namespace, which need not exist, write ConfigMaps there. */
async function mayWrite(shop: TestNamespace, name: string): Promise<void> {
  await grant(shop, { namespace: shop.name, name }, configMapRights);
}

/** Who has written a ConfigMap, by the denial of a right that nobody has. */
const deniedTo = (shop: TestNamespace, account: string): string =>
  `User "system:serviceaccount:${shop.name}:${account}" cannot patch resource "secrets"`;

const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'password' },
  stringData: { password: canary },
};

describe('a StageSet that names no ServiceAccount', () => {
  const stand = useController({
    rights: 'Installed',
    flags: ['--log-level=debug', '--default-service-account=everybody'],
  });

  it('acts as the one of the flag, which is an account of its own namespace', async () => {
    const shop = await stand.namespace();
    await shop.create(serviceAccount('everybody'));
    await mayWrite(shop, 'everybody');
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    await shop.publish('app', 'v2', [configMap('web'), secret]);
    expect(await shop.untilReason('RBACDenied')).to.include(deniedTo(shop, 'everybody'));
  });

  it('attack 71: a default ServiceAccount that does not exist (it fails closed, part A 9.2)', async () => {
    const shop = await stand.namespace();
    await mayWrite(shop, 'everybody');
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app']);
    expect(await shop.untilReason('StageFailed')).to.include(
      `no token for ServiceAccount ${shop.name}/everybody: it does not exist`,
    );
    expect(await shop.configMapNames()).to.deep.equal([]);
    await shop.create(serviceAccount('everybody'));
    await shop.untilReady('v1', { within: 5000 });
  });

  it('acts as the one that the annotation of its namespace names, whatever the flag says', async () => {
    const shop = await stand.namespace();
    await shop.create(serviceAccount('everybody'));
    await shop.create(serviceAccount('deployer'));
    await annotate(shop, 'deployer');
    await mayWrite(shop, 'deployer');
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
  });

  it('follows the annotation, without a reconcile that somebody asks for', async () => {
    const shop = await stand.namespace();
    await shop.create(serviceAccount('everybody'));
    await shop.create(serviceAccount('deployer'));
    await mayWrite(shop, 'deployer');
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app']);
    expect(await shop.untilReason('RBACDenied')).to.include(
      `User "system:serviceaccount:${shop.name}:everybody" cannot patch`,
    );
    await annotate(shop, 'deployer');
    await shop.untilReady('v1', { within: 5000 });
  });

  it('attack 72: a default ServiceAccount that is no name (nothing is carried out, part A 9.2)', async () => {
    const shop = await stand.namespace();
    await shop.create(serviceAccount('everybody'));
    await mayWrite(shop, 'everybody');
    await annotate(shop, '../kube-system/admin');
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app']);
    expect(await shop.untilReason('InvalidSpec')).to.include(
      `the annotation ${annotation} is not the name of a ServiceAccount: "../kube-system/admin"`,
    );
    expect(await shop.configMapNames()).to.deep.equal([]);
    await annotate(shop, null);
    await shop.untilReady('v1', { within: 5000 });
  });

  it('is torn down as the one that rolled it out', async () => {
    const shop = await stand.namespace();
    await shop.create(serviceAccount('everybody'));
    await mayWrite(shop, 'everybody');
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    await shop.deleteStageSet();
    await shop.untilStageSetGone();
    expect(await shop.configMapNames()).to.deep.equal([]);
  });
});

describe('a ServiceAccount that is deleted and created anew under the same name', () => {
  const stand = useController({ rights: 'Installed' });

  it('attack 40: a ServiceAccount replaced by one of the same name in a run ([gap] its uid is watched, part A 9.2)', async () => {
    const shop = await stand.namespace();
    await shop.create(serviceAccount('deployer'));
    await mayWrite(shop, 'deployer');
    await shop.publish('one', 'v1', [configMap('one')]);
    await shop.publish('two', 'v1', [configMap('two')]);
    const promotion = { requireManualPromotion: true };
    await shop.createStageSet([{ name: 'one', promotion }, 'two'], {
      serviceAccountName: 'deployer',
    });
    // In the middle of a run that has used a token of the old account.
    await shop.untilReason('AwaitingPromotion');
    const refusedBefore = await refusedTokens(stand.controller.metricsUrl);
    await shop.delete(serviceAccount('deployer'));
    await shop.create(serviceAccount('deployer'));
    await shop.patch(
      { apiVersion: 'stages.metio.wtf/v1', kind: 'StageSet', metadata: { name: 'shop' } },
      { metadata: { annotations: { 'stages.metio.wtf/promote': 'one@now' } } },
    );
    await shop.untilReady('v1');
    expect(await shop.configMapNames()).to.deep.equal(['one', 'two']);
    expect(await refusedTokens(stand.controller.metricsUrl)).to.equal(refusedBefore);
  });

  it('attack 70: a ServiceAccount that was deleted (edge case 30: its token is no longer used, and a new account recovers, part A 9.2)', async () => {
    const shop = await stand.namespace();
    await shop.create(serviceAccount('deployer'));
    await mayWrite(shop, 'deployer');
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app'], { serviceAccountName: 'deployer' });
    await shop.untilReady('v1');
    await shop.delete(serviceAccount('deployer'));
    await shop.publish('app', 'v2', [configMap('web', { release: 'two' })]);
    expect(await shop.untilReason('StageFailed')).to.include(
      `no token for ServiceAccount ${shop.name}/deployer: it does not exist`,
    );
    await shop.create(serviceAccount('deployer'));
    await shop.untilReady('v2', { within: 5000 });
  });
});

/** How often the API server has refused a token of this controller. */
async function refusedTokens(metricsUrl: string): Promise<number> {
  const text = await (await fetch(metricsUrl)).text();
  const lines = text.split('\n').filter((line) => /^rest_client_requests_total.*"401"/.test(line));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
