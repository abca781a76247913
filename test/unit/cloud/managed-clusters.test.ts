import { expect } from 'chai';
import {
  clusterToken,
  findCluster,
  forgetClusterToken,
} from '../../../src/cloud/managed-clusters.ts';
import type { CloudClusterName } from '../../../src/core/clusters/cloud-cluster.ts';
import { TestClouds } from '../../clouds/server.ts';
import { TestIssuer } from '../../clouds/service-account-tokens.ts';
import { annotationsFor, clientId, email, federated, role, trust } from '../../clouds/shop.ts';
import { caught } from '../../integration/objects.ts';
import { kubeconfigOf } from '../../kubeconfigs.ts';

const eks = { provider: 'aws', region: 'eu-central-1', name: 'paris' } as const;
const gke = { provider: 'gcp', path: 'projects/shop-1/locations/eu/clusters/paris' } as const;
const aks = {
  provider: 'azure',
  resourceId:
    '/subscriptions/00000000-1111-2222-3333-444444444444/resourceGroups/shops/providers/' +
    'Microsoft.ContainerService/managedClusters/paris',
} as const;

describe('a managed cluster', () => {
  const issuer = new TestIssuer();
  const { signal } = new AbortController();
  let clouds: TestClouds;

  before(async () => {
    clouds = await TestClouds.start(issuer.trusted);
    trust(clouds, 'shop', 'courier');
    const paris = { endpoint: 'https://paris.eks.example.com', ca: 'PEM of paris' };
    clouds.aws.clusters.set('paris', paris);
    clouds.gcp.clusters.set(gke.path, { endpoint: '203.0.113.7', ca: 'PEM of paris' });
    const ca = Buffer.from('PEM of paris').toString('base64');
    const kubeconfig = kubeconfigOf({
      cluster: { server: 'https://paris.azmk8s.io:443', 'certificate-authority-data': ca },
      user: { exec: { command: 'kubelogin' } },
    });
    clouds.azure.clusters.set(aks.resourceId, [kubeconfig]);
  });
  after(async () => {
    await clouds.stop();
  });

  function login() {
    const account = issuer.account('shop', 'courier', annotationsFor(clouds));
    return { identity: federated(account), endpoints: clouds.endpoints() };
  }

  const found: [cluster: CloudClusterName, origin: string][] = [
    [eks, 'https://paris.eks.example.com'],
    [gke, 'https://203.0.113.7'],
    [aks, 'https://paris.azmk8s.io'],
  ];
  for (const [cluster, origin] of found) {
    it(`of ${cluster.provider} is where its cloud says`, async () => {
      const addresses = await findCluster(cluster, login(), signal);
      expect(addresses.map(({ server, ca }) => [server.origin, ca])).to.deep.equal([
        [origin, 'PEM of paris'],
      ]);
    });
  }

  const missing: [cluster: CloudClusterName, message: RegExp][] = [
    [
      { ...eks, name: 'rome' },
      /^AWS did not describe EKS cluster rome in eu-central-1: .*No cluster found for name: rome/,
    ],
    [
      { ...gke, path: gke.path.replace('paris', 'rome') },
      /^GCP did not describe GKE cluster .*rome: it answered 404: Not found/,
    ],
    [
      { ...aks, resourceId: aks.resourceId.replace('paris', 'rome') },
      /^Azure did not describe AKS cluster .*rome: it answered 404: .* was not found/,
    ],
  ];
  for (const [cluster, message] of missing) {
    it(`of ${cluster.provider} that does not exist is not found`, async () => {
      const error = await caught(findCluster(cluster, login(), signal));
      expect((error as Error).message).to.match(message);
    });
  }

  it('of AWS is shown a signed request that only it can use', async () => {
    const { host } = clouds.origin;
    const { token, expiresAt } = await clusterToken(eks, login(), signal);
    expect(clouds.aws.roleBehind(token, 'paris', host)).to.equal(role);
    expect(() => clouds.aws.roleBehind(token, 'rome', host)).to.throw('the signature is wrong');
    expect(expiresAt).to.be.within(Date.now() + 13 * 60_000, Date.now() + 15 * 60_000);
    expect(token).to.match(/^k8s-aws-v1\.[\w-]+$/);
  });

  it('of AWS is shown no request that outlives its credentials', async () => {
    clouds.aws.lifetime = 10 * 60_000;
    const { expiresAt } = await clusterToken(eks, login(), signal);
    clouds.aws.lifetime = 3_600_000;
    expect(expiresAt).to.be.within(Date.now() + 9 * 60_000, Date.now() + 11 * 60_000);
  });

  it('of GCP is shown an access token', async () => {
    const { token } = await clusterToken(gke, login(), signal);
    expect(clouds.gcp.principalOf(token)).to.equal(email);
  });

  it('of Azure is shown a token for AKS', async () => {
    const { token } = await clusterToken(aks, login(), signal);
    const scope = '6dae42f8-4368-4678-94ff-3960e28e3630/.default';
    expect(clouds.azure.grantOf(token)).to.deep.equal({ clientId, scope });
  });

  for (const cluster of [eks, gke, aks]) {
    it(`of ${cluster.provider} that refuses a token is shown one of a new login`, async () => {
      const session = login();
      const first = await clusterToken(cluster, session, signal);
      expect((await clusterToken(cluster, session, signal)).token).to.equal(first.token);
      issuer.minted.length = 0;
      forgetClusterToken(cluster, session.endpoints, 'another');
      expect((await clusterToken(cluster, session, signal)).token).to.equal(first.token);
      forgetClusterToken(cluster, session.endpoints, first.token);
      expect((await clusterToken(cluster, session, signal)).token).to.not.equal(first.token);
      expect(issuer.minted).to.have.length(1);
    });
  }
});
