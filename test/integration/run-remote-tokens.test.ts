import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ClusterOptions } from '../../dev/cluster/cluster.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { grant } from '../bound-role.ts';
import { configMap, serviceAccount } from '../objects.ts';
import { sharedPlayground, useController } from '../playground.ts';
import { allowLocalClusters, useRemoteCluster } from '../remote-cluster.ts';
import type { TestNamespace } from '../test-namespace.ts';

const byConfigMap = { kubeConfig: { configMapRef: { name: 'paris' } } };

/** What the remote cluster calls an account of the local one. */
function localAccount({ name }: TestNamespace, account: string): string {
  return `local:system:serviceaccount:${name}:${account}`;
}

describe('a StageSet for a remote cluster that takes tokens of this one', () => {
  let directory: string;
  const remote = useRemoteCluster(trustingThisCluster);
  const stand = useController({ flags: ['--log-level=debug', allowLocalClusters] });
  after('remove the configuration', async () => {
    await rm(directory, { recursive: true });
  });

  /** A cluster that takes tokens of ServiceAccounts of the local one with the audience `paris`. */
  async function trustingThisCluster(): Promise<ClusterOptions> {
    const { cluster, client } = await sharedPlayground();
    const readers = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'everybody-may-verify-tokens' },
      roleRef: {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'ClusterRole',
        name: 'system:service-account-issuer-discovery',
      },
      subjects: [
        {
          apiGroup: 'rbac.authorization.k8s.io',
          kind: 'Group',
          name: 'system:unauthenticated',
        },
      ],
    };
    await client.create(readers, {}, { signal: AbortSignal.timeout(30_000) });
    directory = await mkdtemp(join(tmpdir(), 'stageset-authentication-'));
    const file = join(directory, 'authentication.json');
    const issuer = {
      url: 'https://kubernetes.default.svc',
      discoveryURL: `${cluster.url}/.well-known/openid-configuration`,
      certificateAuthority: await readFile(cluster.ca.certificate, 'utf8'),
      audiences: ['paris'],
    };
    const username = { claim: 'sub', prefix: 'local:' };
    const configuration = {
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'AuthenticationConfiguration',
      jwt: [{ issuer, claimMappings: { username } }],
    };
    await writeFile(file, JSON.stringify(configuration));
    return {
      apiServerArguments: [
        '--service-account-issuer=https://paris.example.com',
        `--authentication-config=${file}`,
      ],
    };
  }

  async function description(data: Record<string, string> = {}): Promise<KubernetesObject> {
    const { url, ca } = remote().cluster;
    return configMap('paris', {
      provider: 'generic',
      address: url,
      'ca.crt': await readFile(ca.certificate, 'utf8'),
      serviceAccountName: 'courier',
      audiences: 'paris\n',
      ...data,
    });
  }

  async function shopWith(data?: Record<string, string>): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await remote().join(shop);
    await shop.create(serviceAccount('courier'));
    await shop.create(await description(data));
    await shop.publish('app', 'v1', [configMap('web')]);
    return shop;
  }

  /** Lets the account of the local cluster do everything in the remote one. */
  async function welcome(shop: TestNamespace): Promise<void> {
    const rules = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];
    const subject = { kind: 'User', name: localAccount(shop, 'courier') };
    for (const object of grant({ name: `courier-${shop.name}`, rules }, subject)) {
      await remote().create(object);
    }
  }

  it('is applied there by a token for that cluster', async () => {
    const shop = await shopWith();
    await welcome(shop);
    await shop.createStageSet(['app'], byConfigMap);
    await shop.untilReady('v1');
    expect(await remote().configMapNames(shop)).to.deep.equal(['web']);
  });

  it('acts there as its own account, by impersonation', async () => {
    const shop = await shopWith();
    await welcome(shop);
    await shop.create(serviceAccount('deployer'));
    const { name: namespace } = shop;
    const subject = { kind: 'ServiceAccount', name: 'deployer', namespace };
    const rule = { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] };
    for (const object of grant({ name: 'deployer', namespace, rules: [rule] }, subject)) {
      await shop.create(object);
    }
    await shop.createStageSet(['app'], { ...byConfigMap, serviceAccountName: 'deployer' });
    expect(await shop.untilReason('RBACDenied')).to.include(
      `User "system:serviceaccount:${namespace}:deployer" cannot patch`,
    );
  });

  it('is applied there no more once the account is deleted, though its token lasts', async () => {
    const shop = await shopWith();
    await welcome(shop);
    await shop.createStageSet(['app'], byConfigMap);
    await shop.untilReady('v1');
    await shop.delete(serviceAccount('courier'));
    await shop.publish('app', 'v2', [configMap('web', { color: 'blue' })]);
    expect(await shop.untilReason('StageFailed')).to.include(
      `no token for ServiceAccount ${shop.name}/courier: it does not exist`,
    );
    await shop.create(serviceAccount('courier'));
    await shop.untilReady('v2');
  });

  const invalid: [string, Record<string, string>, string][] = [
    ['names a cloud without its cluster', { provider: 'gcp' }, 'its key cluster is missing'],
    ['names no provider', { provider: 'ibm' }, 'it is one of generic, aws, azure, gcp'],
    ['has no address', { address: '' }, 'its key address is missing'],
  ];
  for (const [what, data, why] of invalid) {
    it(`whose ConfigMap ${what} is an invalid spec`, async () => {
      const shop = await shopWith(data);
      await shop.createStageSet(['app'], byConfigMap);
      const message = await shop.untilReason('InvalidSpec');
      expect(message).to.include(`ConfigMap ${shop.name}/paris: `).and.include(why);
    });
  }

  it('attack 112: a ConfigMap that wants a token which is good in the local cluster (no such token leaves it, part A 9.3)', async () => {
    const shop = await shopWith({ audiences: 'paris\nhttps://kubernetes.default.svc' });
    await shop.createStageSet(['app'], byConfigMap);
    const message = await shop.untilReason('InvalidSpec');
    expect(message)
      .to.include(`ConfigMap ${shop.name}/paris: `)
      .and.include('a token for that never leaves the cluster');
  });

  it('whose ConfigMap is missing is an invalid spec', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app'], byConfigMap);
    const message = await shop.untilReason('InvalidSpec');
    expect(message).to.include(`ConfigMap ${shop.name}/paris does not exist`);
  });
});
