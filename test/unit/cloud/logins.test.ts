import { expect } from 'chai';
import { awsCredentials } from '../../../src/cloud/aws.ts';
import { azureAccessToken } from '../../../src/cloud/azure.ts';
import { gcpAccessToken } from '../../../src/cloud/gcp.ts';
import type { CloudEndpoints, CloudServiceAccount } from '../../../src/cloud/identity.ts';
import { TestClouds } from '../../clouds/server.ts';
import { TestIssuer } from '../../clouds/service-account-tokens.ts';

describe('a federated login', () => {
  const issuer = new TestIssuer();
  const { signal } = new AbortController();
  let clouds: TestClouds;
  before(async () => {
    clouds = await TestClouds.start(issuer.trusted);
    clouds.aws.trust.set(
      'arn:aws:iam::123456789012:role/shop',
      'system:serviceaccount:shop:courier',
    );
    clouds.gcp.trust.set(
      'shop@project.iam.gserviceaccount.com',
      'system:serviceaccount:shop:courier',
    );
    clouds.azure.trust.set(
      '00000000-1111-2222-3333-444444444444',
      'system:serviceaccount:shop:courier',
    );
  });
  after(async () => await clouds.stop());
  it('smoke', async () => {
    const account = issuer.account('shop', 'courier', {
      'eks.amazonaws.com/role-arn': 'arn:aws:iam::123456789012:role/shop',
      'gcp.auth.fluxcd.io/workload-identity-provider': clouds.gcp.provider,
      'iam.gke.io/gcp-service-account': 'shop@project.iam.gserviceaccount.com',
      'azure.workload.identity/tenant-id': clouds.azure.tenantId,
      'azure.workload.identity/client-id': '00000000-1111-2222-3333-444444444444',
    });
    const id = { kind: 'Federated', serviceAccount: account } as const;
    const endpoints = clouds.endpoints();
    console.log(await awsCredentials(id, 'eu-central-1', endpoints, signal).catch((e) => e));
    console.log(await gcpAccessToken(id, endpoints, signal).catch((e) => e));
    console.log(
      await azureAccessToken(id, 'https://vault.azure.net/.default', endpoints, signal).catch(
        (e) => e,
      ),
    );
    console.log(clouds.received);
  });
});
