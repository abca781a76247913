import { expect } from 'chai';
import { awsCredentials } from '../../../src/cloud/aws.ts';
import { azureAccessToken } from '../../../src/cloud/azure.ts';
import { gcpAccessToken } from '../../../src/cloud/gcp.ts';
import { TerminalError } from '../../../src/core/errors.ts';
import { TestClouds } from '../../clouds/server.ts';
import { TestIssuer } from '../../clouds/service-account-tokens.ts';
import {
  annotationsFor,
  clientId,
  cloudCases,
  email,
  federated,
  role,
  trust,
  vault,
} from '../../clouds/shop.ts';
import { caught } from '../../integration/objects.ts';

describe('a login at a cloud as a ServiceAccount', () => {
  const issuer = new TestIssuer();
  const { signal } = new AbortController();
  let clouds: TestClouds;
  let known: Record<string, string>;

  before(async () => {
    clouds = await TestClouds.start(issuer.trusted);
    known = annotationsFor(clouds);
    trust(clouds, 'shop', 'courier');
  });
  beforeEach(() => {
    issuer.minted.length = 0;
    clouds.received.length = 0;
  });
  after(async () => {
    await clouds.stop();
  });

  it('takes on the role at AWS', async () => {
    const identity = federated(issuer.account('shop', 'courier', known));
    const endpoints = clouds.endpoints();
    const got = await awsCredentials(identity, 'eu-central-1', endpoints, signal);
    expect(got.accessKeyId).to.match(/^ASIA/);
    expect(got.secretAccessKey).to.not.equal('');
    expect(got.sessionToken).to.not.equal('');
    expect(got.expiration?.getTime()).to.be.within(Date.now() + 3_500_000, Date.now() + 3_700_000);
  });

  it('acts as the service account at GCP, or as the pool where none is named', async () => {
    const endpoints = clouds.endpoints();
    const account = issuer.account('shop', 'courier', known);
    const { token, expiresAt } = await gcpAccessToken(federated(account), endpoints, signal);
    expect(clouds.gcp.principalOf(token)).to.equal(email);
    expect(expiresAt).to.be.within(Date.now() + 3_500_000, Date.now() + 3_700_000);
    const withoutEmail = { ...known, 'iam.gke.io/gcp-service-account': '' };
    const direct = federated(issuer.account('shop', 'courier', withoutEmail));
    const pool = await gcpAccessToken(direct, endpoints, signal);
    expect(clouds.gcp.principalOf(pool.token)).to.match(
      /^principal:.*system:serviceaccount:shop:courier$/,
    );
  });

  it('acts as the managed identity at Azure, for one audience', async () => {
    const identity = federated(issuer.account('shop', 'courier', known));
    const { token, expiresAt } = await azureAccessToken(
      identity,
      vault,
      clouds.endpoints(),
      signal,
    );
    expect(clouds.azure.grantOf(token)).to.deep.equal({ clientId, scope: vault });
    expect(expiresAt).to.be.within(Date.now() + 3_500_000, Date.now() + 3_700_000);
  });

  for (const { cloud, audience, annotation, logIn } of cloudCases) {
    describe(`at ${cloud}`, () => {
      it('shows a token for that cloud, once for all who ask', async () => {
        const identity = federated(issuer.account('shop', 'courier', known));
        const endpoints = clouds.endpoints();
        const all = await Promise.all(
          Array.from({ length: 20 }, async () => await logIn(identity, endpoints, signal)),
        );
        all.push(await logIn(identity, endpoints, signal));
        expect(new Set(all)).to.have.length(1);
        expect(issuer.minted).to.deep.equal([[audience(clouds)]]);
      });

      it('is another one for another account, whatever its annotations say', async () => {
        const endpoints = clouds.endpoints();
        await logIn(federated(issuer.account('shop', 'courier', known)), endpoints, signal);
        const others = [
          issuer.account('bank', 'courier', known),
          issuer.account('shop', 'x', known),
        ];
        for (const other of others) {
          const error = await caught(logIn(federated(other), endpoints, signal));
          expect(String(error)).to.include(
            `${cloud} did not log in ServiceAccount ${other.namespace}/${other.name}`,
          );
        }
      });

      it('is refused without the annotation, and nobody is asked', async () => {
        const others = Object.entries(known).filter(([name]) => name !== annotation);
        const annotations = Object.fromEntries(others);
        const identity = federated(issuer.account('shop', 'courier', annotations));
        const error = await caught(logIn(identity, clouds.endpoints(), signal));
        expect(error).to.be.instanceOf(TerminalError);
        expect(String(error)).to.include(
          `ServiceAccount shop/courier: its annotation ${annotation} is missing; set it to `,
        );
        expect(issuer.minted).to.deep.equal([]);
        expect(clouds.received).to.deep.equal([]);
      });
    });
  }

  const malformed: [annotation: string, value: string, at: number][] = [
    ['eks.amazonaws.com/role-arn', 'shop', 0],
    ['eks.amazonaws.com/role-arn', `${role}\nx`, 0],
    ['gcp.auth.fluxcd.io/workload-identity-provider', 'projects/p/pools/x', 1],
    ['iam.gke.io/gcp-service-account', 'a/../../b@x.iam.gserviceaccount.com', 1],
    ['iam.gke.io/gcp-service-account', 'somebody@example.com', 1],
    ['azure.workload.identity/tenant-id', '../common', 2],
    ['azure.workload.identity/client-id', 'shop', 2],
  ];
  for (const [annotation, value, at] of malformed) {
    it(`is refused with ${annotation}: ${JSON.stringify(value)}`, async () => {
      const account = issuer.account('shop', 'courier', { ...known, [annotation]: value });
      const work = cloudCases[at]!.logIn(federated(account), clouds.endpoints(), signal);
      const error = await caught(work);
      expect(error).to.be.instanceOf(TerminalError);
      expect(String(error)).to.include(`its annotation ${annotation} must be `);
      expect(clouds.received).to.deep.equal([]);
    });
  }

  it('asks STS of no other host than a region has', async () => {
    const identity = federated(issuer.account('shop', 'courier', known));
    for (const region of [
      '',
      'evil.example.com/',
      'eu-central-1.evil.example.com',
      'EU-CENTRAL-1',
    ]) {
      const error = await caught(awsCredentials(identity, region, {}, signal));
      expect(String(error)).to.include('is no name of an AWS region');
    }
    expect(issuer.minted).to.deep.equal([]);
  });
});
