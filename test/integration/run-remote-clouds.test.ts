import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { grant } from '../bound-role.ts';
import { TestClouds } from '../clouds/server.ts';
import { TrustedIssuer } from '../clouds/service-account-tokens.ts';
import { TokenWebhook, userAt } from '../clouds/token-webhook.ts';
import { kubeconfigOf } from '../kubeconfigs.ts';
import { configMap, serviceAccount, withMetadata } from '../objects.ts';
import { sharedPlayground, useController } from '../playground.ts';
import { allowLocalClusters, useRemoteCluster } from '../remote-cluster.ts';
import type { TestNamespace } from '../test-namespace.ts';

const byConfigMap = { kubeConfig: { configMapRef: { name: 'paris' } } };

const clusterNames = {
  aws: 'arn:aws:eks:eu-central-1:123456789012:cluster/paris',
  gcp: 'projects/shop-1/locations/eu/clusters/paris',
  azure:
    '/subscriptions/00000000-1111-2222-3333-444444444444/resourceGroups/shops/providers/' +
    'Microsoft.ContainerService/managedClusters/paris',
};

type Provider = keyof typeof clusterNames;

const providers: readonly Provider[] = ['aws', 'gcp', 'azure'];

describe('a StageSet for a managed cluster of a cloud', () => {
  const flags = ['--log-level=debug', allowLocalClusters];
  let clouds: TestClouds;
  let webhook: TokenWebhook;
  let directory: string;

  before('start the clouds, which trust this cluster', async () => {
    const { cluster } = await sharedPlayground();
    const { stdout } = await cluster.kubectl(['get', '--raw', '/openid/v1/jwks']);
    const jwks = JSON.parse(stdout) as ConstructorParameters<typeof TrustedIssuer>[1];
    clouds = await TestClouds.start(new TrustedIssuer('https://kubernetes.default.svc', jwks));
    webhook = await TokenWebhook.install(clouds, 'paris');
    directory = await mkdtemp(join(tmpdir(), 'stageset-clouds-'));
    const file = join(directory, 'ca.crt');
    await writeFile(file, clouds.ca);
    const services = ['aws-sts', 'aws-eks', 'gcp-sts', 'gcp-iam', 'gcp-container'];
    for (const service of [...services, 'azure-authority', 'azure-management']) {
      flags.push(`--cloud-endpoint=${service}=${clouds.origin.origin}`);
    }
    flags.push(`--cloud-endpoint-ca-file=${file}`);
  });

  const remote = useRemoteCluster(
    async () => await Promise.resolve({ apiServerArguments: webhook.apiServerArguments }),
  );

  before('put the remote cluster into the clouds', async () => {
    const { url, ca } = remote().cluster;
    const authority = await readFile(ca.certificate, 'utf8');
    clouds.aws.clusters.set('paris', { endpoint: url, ca: authority });
    clouds.gcp.clusters.set(clusterNames.gcp, { endpoint: new URL(url).host, ca: authority });
    const cluster = {
      server: url,
      'certificate-authority-data': Buffer.from(authority).toString('base64'),
    };
    const kubeconfig = kubeconfigOf({ cluster, user: { exec: { command: 'kubelogin' } } });
    clouds.azure.clusters.set(clusterNames.azure, [kubeconfig]);
  });

  const stand = useController({ flags });

  after('stop the clouds', async () => {
    await clouds.stop();
    await webhook.remove();
    await rm(directory, { recursive: true });
  });

  /** Who the account `courier` of a namespace is at the clouds. */
  function whoIs({ name }: TestNamespace) {
    const number = name.replace(/\D/g, '').padStart(12, '0');
    return {
      aws: `arn:aws:iam::123456789012:role/${name}`,
      gcp: `${name}@project.iam.gserviceaccount.com`,
      azure: `00000000-1111-2222-3333-${number}`,
    };
  }

  function annotationsOf(shop: TestNamespace): Record<string, string> {
    const { aws, gcp, azure } = whoIs(shop);
    return {
      'eks.amazonaws.com/role-arn': aws,
      'gcp.auth.fluxcd.io/workload-identity-provider': clouds.gcp.provider,
      'iam.gke.io/gcp-service-account': gcp,
      'azure.workload.identity/tenant-id': clouds.azure.tenantId,
      'azure.workload.identity/client-id': azure,
    };
  }

  async function shopWith(
    data: Record<string, string>,
    annotations?: Record<string, string>,
  ): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await remote().join(shop);
    const said = annotations ?? annotationsOf(shop);
    await shop.create(withMetadata(serviceAccount('courier'), { annotations: said }));
    await shop.create(configMap('paris', data));
    await shop.publish('app', 'v1', [configMap('web')]);
    const subject = `system:serviceaccount:${shop.name}:courier`;
    const { aws, gcp, azure } = whoIs(shop);
    clouds.aws.trust.set(aws, subject);
    clouds.gcp.trust.set(gcp, subject);
    clouds.azure.trust.set(azure, subject);
    return shop;
  }

  /** Lets who the cloud knows the account as do everything in the remote cluster. */
  async function welcome(shop: TestNamespace, provider: Provider): Promise<void> {
    const rules = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];
    const subject = { kind: 'User', name: `${userAt[provider]}${whoIs(shop)[provider]}` };
    for (const object of grant({ name: `courier-${shop.name}`, rules }, subject)) {
      await remote().create(object);
    }
  }

  function described(provider: Provider): Record<string, string> {
    return { provider, cluster: clusterNames[provider], serviceAccountName: 'courier' };
  }

  for (const provider of providers) {
    it(`is applied there by a login at the cloud, which says where it is (${provider})`, async () => {
      const shop = await shopWith(described(provider));
      await welcome(shop, provider);
      await shop.createStageSet(['app'], byConfigMap);
      await shop.untilReady('v1');
      expect(await remote().configMapNames(shop)).to.deep.equal(['web']);
    });

    it(`whose account has no annotations for it is an invalid spec (${provider})`, async () => {
      const shop = await shopWith(described(provider), {});
      await welcome(shop, provider);
      await shop.createStageSet(['app'], byConfigMap);
      const message = await shop.untilReason('InvalidSpec');
      expect(message).to.include(
        `ConfigMap ${shop.name}/paris: ServiceAccount ${shop.name}/courier`,
      );
      expect(message).to.include('is missing; set it to');
      const account = serviceAccount('courier');
      await shop.patch(account, { metadata: { annotations: annotationsOf(shop) } });
      await shop.request('annotated');
      await shop.untilReady('v1');
    });
  }

  it('acts there as its own account, by impersonation', async () => {
    const shop = await shopWith(described('aws'));
    await welcome(shop, 'aws');
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

  it('logs in anew when its session is revoked', async () => {
    const shop = await shopWith(described('aws'));
    await welcome(shop, 'aws');
    await shop.createStageSet(['app'], byConfigMap);
    await shop.untilReady('v1');
    clouds.aws.revokeAll();
    await shop.publish('app', 'v2', [configMap('web', { text: 'new' })]);
    await shop.untilReady('v2');
    expect(await remote().configMapNames(shop)).to.deep.equal(['web']);
  });

  it('that the cloud does not know says so, and works once it does', async () => {
    const shop = await shopWith(described('azure'));
    await welcome(shop, 'azure');
    const { azure } = whoIs(shop);
    clouds.azure.trust.delete(azure);
    await shop.createStageSet(['app'], byConfigMap);
    const message = await shop.untilReason('StageFailed');
    expect(message).to.include(`ConfigMap ${shop.name}/paris: Azure did not log in ServiceAccount`);
    expect(message).to.include('No matching federated identity record found');
    clouds.azure.trust.set(azure, `system:serviceaccount:${shop.name}:courier`);
    await shop.request('trusted');
    await shop.untilReady('v1');
  });

  it('does not lend the identity of the controller to a StageSet with an account', async () => {
    const shop = await shopWith({ ...described('aws'), serviceAccountName: '' });
    await shop.create(serviceAccount('deployer'));
    const { name: namespace } = shop;
    const subject = { kind: 'ServiceAccount', name: 'deployer', namespace };
    const rule = { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] };
    for (const object of grant({ name: 'deployer', namespace, rules: [rule] }, subject)) {
      await shop.create(object);
    }
    await shop.createStageSet(['app'], { ...byConfigMap, serviceAccountName: 'deployer' });
    expect(await shop.untilReason('InvalidSpec')).to.include(
      `ConfigMap ${namespace}/paris: its key serviceAccountName is missing`,
    );
  });

  const invalid: [what: string, data: Record<string, string>, why: string][] = [
    ['has no cluster', { ...described('gcp'), cluster: '' }, 'its key cluster is missing'],
    [
      'names an address that is not of the cluster',
      { ...described('aws'), address: 'https://203.0.113.9' },
      "its key address is none of the cluster's",
    ],
    [
      'names an account that does not exist',
      { ...described('aws'), serviceAccountName: 'nobody' },
      'nobody, which does not exist',
    ],
  ];
  for (const [what, data, why] of invalid) {
    it(`whose ConfigMap ${what} is an invalid spec`, async () => {
      const shop = await shopWith(data);
      await shop.createStageSet(['app'], byConfigMap);
      const message = await shop.untilReason('InvalidSpec');
      expect(message).to.include(`ConfigMap ${shop.name}/paris: `).and.include(why);
    });
  }
});
