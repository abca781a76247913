import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { type Grant, grant } from '../bound-role.ts';
import { canary } from '../canary.ts';
import { configMap, deployment, serviceAccount } from '../objects.ts';
import { useController } from '../playground.ts';
import {
  allowLocalClusters,
  kubeconfigSecret,
  toParis,
  useRemoteCluster,
} from '../remote-cluster.ts';
import type { TestNamespace } from '../test-namespace.ts';

const everyVerb = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];

/** Lets an account of the namespace read the kubeconfig. */
const readSecrets: Grant = { apiGroups: [''], resources: ['secrets'], verbs: ['get'] };
const writeConfigMaps: Grant = { apiGroups: [''], resources: ['configmaps'], verbs: everyVerb };

describe('a StageSet for a remote cluster', () => {
  const remote = useRemoteCluster();
  const stand = useController({ flags: ['--log-level=debug', allowLocalClusters] });

  async function shopWithCluster(kubeconfig?: string): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await remote().join(shop);
    await shop.create(kubeconfigSecret(kubeconfig ?? (await remote().kubeconfig())));
    return shop;
  }

  /** A user of the remote cluster that may only act as these accounts. */
  async function impersonator(name: string, resourceNames: readonly string[]): Promise<string> {
    const rule = {
      apiGroups: [''],
      resources: ['users', 'serviceaccounts'],
      verbs: ['impersonate'],
    };
    const objects = grant({ name, rules: [{ ...rule, resourceNames }] }, { kind: 'User', name });
    for (const object of objects) await remote().create(object);
    return await remote().kubeconfig(name);
  }

  async function grantThere(shop: TestNamespace, account: string, rule: Grant): Promise<void> {
    const { name: namespace } = shop;
    const subject = { kind: 'ServiceAccount', name: account, namespace };
    for (const object of grant({ name: account, namespace, rules: [rule] }, subject)) {
      await remote().create(object);
    }
  }

  async function grantHere(shop: TestNamespace, account: string): Promise<void> {
    const { name: namespace } = shop;
    const subject = { kind: 'ServiceAccount', name: account, namespace };
    for (const object of grant({ name: account, namespace, rules: [readSecrets] }, subject)) {
      await shop.create(object);
    }
  }

  it('is applied and pruned there, is recorded here, and takes its objects along', async () => {
    const shop = await shopWithCluster();
    await shop.publish('app', 'v1', [configMap('web'), configMap('old')]);
    await shop.createStageSet(['app'], toParis);
    await shop.untilReady('v1');
    expect(await remote().configMapNames(shop)).to.deep.equal(['old', 'web']);
    expect(await shop.configMapNames()).to.deep.equal([]);
    expect(Object.keys(await shop.inventories())).to.deep.equal(['app']);
    await shop.publish('app', 'v2', [configMap('web', { text: 'new' })]);
    await shop.untilReady('v2');
    expect(await remote().configMapNames(shop)).to.deep.equal(['web']);
    await shop.deleteStageSet();
    await shop.untilStageSetGone();
    expect(await remote().configMapNames(shop)).to.deep.equal([]);
  });

  it('corrects drift there at once', async () => {
    const shop = await shopWithCluster();
    await shop.publish('app', 'v1', [configMap('web', { text: 'ours' })]);
    await shop.createStageSet(['app'], toParis);
    await shop.untilReady('v1');
    const web = { apiVersion: 'v1', kind: 'ConfigMap', namespace: shop.name, name: 'web' };
    const { client, call } = remote();
    await client.patch(web, { type: 'Merge', body: { data: { text: 'theirs' } } }, call);
    await remote().untilObject(web, ({ data }) => JSON.stringify(data) === '{"text":"ours"}');
  });

  it('attack 82: a kubeconfig that the account may not read (it is read as the tenant, who is impersonated there, part A 9.3)', async () => {
    const shop = await stand.namespace();
    await remote().join(shop);
    const [whole, stage] = ['deployer', 'painter'].map(
      (account) => `system:serviceaccount:${shop.name}:${account}`,
    );
    const kubeconfig = await impersonator(`robot-${shop.name}`, ['deployer', 'painter']);
    await shop.create(kubeconfigSecret(kubeconfig));
    await shop.create(serviceAccount('deployer'));
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.publish('paint', 'v1', [configMap('colours')]);
    const paint = { name: 'paint', sourceRef: { name: 'paint' }, serviceAccountName: 'painter' };
    const spec = { ...toParis, serviceAccountName: 'deployer', retryInterval: '1s' };
    await shop.createStageSet(['app', paint], spec);
    expect(await shop.untilReason('RBACDenied')).to.include(
      `connect to target cluster: Secret/${shop.name}/paris: secrets "paris" is forbidden: User "${whole}" cannot get`,
    );
    await grantHere(shop, 'deployer');
    await shop.request('readable');
    const denied = await shop.untilMessage((message) => message.includes('cannot patch'));
    expect(denied).to.include(`cluster of Secret ${shop.name}/paris: `).and.include(`"${whole}"`);
    await grantThere(shop, 'deployer', writeConfigMaps);
    await shop.request('writable');
    const stageDenied = await shop.untilMessage((message) => message.includes(String(stage)));
    expect(stageDenied).to.include(`cluster of Secret ${shop.name}/paris: `);
    expect(await remote().configMapNames(shop)).to.deep.equal(['web']);
    await grantThere(shop, 'painter', writeConfigMaps);
    await shop.request('both');
    await shop.untilReady('v1');
    expect(await remote().configMapNames(shop)).to.deep.equal(['colours', 'web']);
  });

  it('attack 83: a connection that outlives its kubeconfig (an edited Secret takes effect at once, part A 9.3)', async () => {
    const shop = await shopWithCluster();
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app'], toParis);
    await shop.untilReady('v1');
    const powerless = await remote().kubeconfig(`nobody-${shop.name}`);
    await shop.patch(kubeconfigSecret(''), { stringData: { value: powerless } });
    await shop.request('as nobody');
    expect(await shop.untilReason('RBACDenied')).to.include(`User "nobody-${shop.name}"`);
    await shop.patch(kubeconfigSecret(''), { stringData: { value: await remote().kubeconfig() } });
    await shop.request('as admin again');
    await shop.untilReady('v1');
  });

  it('survives credentials that are rotated while it runs', async () => {
    const shop = await shopWithCluster();
    await shop.publish('one', 'v1', [configMap('first')]);
    await shop.publish('two', 'v1', [deployment('held')]);
    await shop.publish('three', 'v1', [configMap('last')]);
    await shop.createStageSet(['one', 'two', 'three'], toParis);
    await shop.untilPhase('two', 'Verifying');
    const other = await remote().kubeconfig(`other-${shop.name}`, ['system:masters']);
    await shop.patch(kubeconfigSecret(''), { stringData: { value: other } });
    await remote().reportDeployment(shop, 'held');
    await shop.untilReady('v1');
    expect(await remote().configMapNames(shop)).to.deep.equal(['first', 'last']);
  });

  it('starts over when its Secret leads to another cluster while it runs', async () => {
    const shop = await shopWithCluster();
    await shop.publish('one', 'v1', [configMap('first')]);
    await shop.publish('two', 'v1', [deployment('held')]);
    await shop.createStageSet(['one', 'two'], toParis);
    await shop.untilPhase('two', 'Verifying');
    const elsewhere = await readFile(stand.playground.cluster.kubeconfig, 'utf8');
    await shop.patch(kubeconfigSecret(''), { stringData: { value: elsewhere } });
    await shop.reportDeployment('held', 'Available');
    await shop.untilReady('v1');
    expect(await shop.configMapNames()).to.deep.equal(['first']);
  });

  it('goes on where it was after the controller was killed', async () => {
    const shop = await shopWithCluster();
    await shop.publish('one', 'v1', [configMap('first')]);
    await shop.publish('two', 'v1', [deployment('held')]);
    await shop.createStageSet(['one', 'two'], toParis);
    await shop.untilPhase('two', 'Verifying');
    await stand.killAndRestart();
    await remote().reportDeployment(shop, 'held');
    await shop.untilReady('v1');
    expect(await remote().configMapNames(shop)).to.deep.equal(['first']);
    expect(Object.keys(await shop.inventories())).to.deep.equal(['one', 'two']);
  });

  const broken: [string, KubernetesObject | undefined, string][] = [
    ['is missing', undefined, 'does not exist; create it'],
    ['has an empty value', kubeconfigSecret(''), 'has no value at the key value'],
    ['is no kubeconfig', kubeconfigSecret(`${canary}: [sesame`), 'is not valid YAML'],
  ];
  for (const [what, secret, why] of broken) {
    it(`whose Secret ${what} fails its stage, and is tried again by itself`, async () => {
      const shop = await stand.namespace();
      await remote().join(shop);
      if (secret !== undefined) await shop.create(secret);
      await shop.publish('app', 'v1', [configMap('web')]);
      await shop.createStageSet(['app'], toParis);
      const message = await shop.untilReason('StageFailed');
      expect(message).to.include(`Stage app: connect to target cluster: Secret ${shop.name}/paris`);
      expect(message).to.include(why).and.not.include('sesame');
      const good = kubeconfigSecret(await remote().kubeconfig());
      if (secret === undefined) await shop.create(good);
      else await shop.patch(good, { stringData: good['stringData'] });
      await shop.untilReady('v1');
    });
  }
});
