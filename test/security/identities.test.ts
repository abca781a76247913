import { expect } from 'chai';
import { canary } from '../canary.ts';
import { configMap, serviceAccount } from '../objects.ts';
import { useController } from '../playground.ts';
import { everyVerb, grant } from '../rbac.ts';
import { readyOf, type TestNamespace } from '../test-namespace.ts';

const annotation = 'stages.metio.wtf/default-service-account';
const configMaps = { apiGroups: [''], resources: ['configmaps'], verbs: everyVerb };

const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'password' },
  stringData: { password: canary },
};

async function mayWrite(where: TestNamespace, account: string, of = where): Promise<void> {
  const name = `${of.name}-${account}`;
  await grant(where, { namespace: of.name, name: account }, [configMaps], name);
}

async function annotate({ client, name, call }: TestNamespace, value: string): Promise<void> {
  const body = { metadata: { annotations: { [annotation]: value } } };
  await client.patch({ apiVersion: 'v1', kind: 'Namespace', name }, { type: 'Merge', body }, call);
}

describe('an identity that is not the own one', () => {
  const stand = useController({ rights: 'Installed' });

  it('attack 110: a serviceAccountName that leads to another namespace (a token is of the own namespace, part A 9.2)', async () => {
    const [shop, victim] = [await stand.namespace(), await stand.namespace()];
    await victim.create(serviceAccount('admin'));
    await mayWrite(shop, 'admin', victim);
    await mayWrite(victim, 'admin');
    const theirs = { ...configMap('stolen'), metadata: { name: 'stolen', namespace: victim.name } };
    await shop.publish('app', 'v1', [configMap('web'), theirs]);
    const names = [
      `${victim.name}/admin`,
      `../../${victim.name}/serviceaccounts/admin`,
      `..%2F..%2F${victim.name}%2Fserviceaccounts%2Fadmin`,
      `system:serviceaccount:${victim.name}:admin`,
      `admin?namespace=${victim.name}`,
      `admin.${victim.name}`,
      'admin',
      ' ',
    ];
    for (const serviceAccountName of names) {
      const created = await shop.createStageSet(['app'], { serviceAccountName }).then(
        () => true,
        () => false,
      );
      if (!created) continue;
      const seen = await shop.untilStageSet((stageSet) => readyOf(stageSet)?.status === 'False');
      expect(readyOf(seen)?.reason, serviceAccountName).to.be.oneOf(['InvalidSpec', 'StageFailed']);
      expect(await shop.configMapNames(), serviceAccountName).to.deep.equal([]);
      await shop.deleteStageSet();
      await shop.untilStageSetGone();
    }
    expect(await victim.find(configMap('stolen'))).to.equal(undefined);
  });
});

describe('a controller for some namespaces only', () => {
  const elsewhere = useController({ flags: ['--watch-namespaces=nobody-at-all'] });

  it('attack 111: a StageSet outside of --watch-namespaces, with a default account (it is never looked at, part A 9.5)', async () => {
    const namespaces = await Promise.all([1, 2].map(async () => await elsewhere.namespace()));
    const [shop, outside] = namespaces;
    if (shop === undefined || outside === undefined) throw new Error('no namespaces');
    for (const each of namespaces) {
      await each.create(serviceAccount('everybody'));
      await each.create(serviceAccount('deployer'));
      await mayWrite(each, 'everybody');
      await mayWrite(each, 'deployer');
      await each.publish('app', 'v1', [configMap('web')]);
    }
    // Its account may write in the scope of the controller, and its namespace asks for itself.
    await mayWrite(shop, 'deployer', outside);
    await annotate(outside, 'deployer');
    const controller = await elsewhere.playground.startController({
      rights: 'Installed',
      flags: [`--watch-namespaces=${shop.name}`, '--default-service-account=everybody'],
    });
    try {
      await outside.createStageSet(['app']);
      await shop.createStageSet(['app']);
      await shop.untilReady('v1');
      await shop.publish('app', 'v2', [configMap('web'), secret]);
      const deniedTo = (account: string): string =>
        `User "system:serviceaccount:${shop.name}:${account}" cannot patch resource "secrets"`;
      expect(await shop.untilReason('RBACDenied')).to.include(deniedTo('everybody'));
      await annotate(shop, 'deployer');
      await shop.untilMessage((message) => message.includes(deniedTo('deployer')));
      const untouched = await outside.untilStageSet(() => true);
      expect(untouched.status).to.equal(undefined);
      expect(untouched.metadata['finalizers']).to.equal(undefined);
      expect(await outside.configMapNames()).to.deep.equal([]);
      // No word of it anywhere, not even that it is there.
      const { log, metricsUrl } = controller;
      const metrics = await (await fetch(metricsUrl)).text();
      expect(`${log.join('\n')}${metrics}`).to.not.include(outside.name);
    } finally {
      await controller.stop();
    }
  });

  it('[edge case 32] reads a source outside of --watch-namespaces for itself, as nothing of it is cached (part A 11)', async () => {
    const [shop, store] = [await elsewhere.namespace(), await elsewhere.namespace()];
    await store.publish('web', 'v1', [configMap('web')]);
    const controller = await elsewhere.playground.startController({
      flags: [`--watch-namespaces=${shop.name}`],
    });
    try {
      const sourceRef = { name: 'web', namespace: store.name };
      await shop.createStageSet([{ name: 'app', sourceRef }], { interval: '2s' });
      await shop.untilReady('v1');
      await store.publish('web', 'v2', [configMap('web', { release: 'two' })]);
      await shop.untilReady('v2');
    } finally {
      await controller.stop();
    }
  });
});
