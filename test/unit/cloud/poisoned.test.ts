import { expect } from 'chai';
import { awsCredentials } from '../../../src/cloud/aws.ts';
import { Poison } from '../../clouds/poison.ts';
import { TestClouds } from '../../clouds/server.ts';
import { TestIssuer } from '../../clouds/service-account-tokens.ts';
import { annotationsFor, cloudCases, federated, trust } from '../../clouds/shop.ts';
import { caught } from '../../integration/objects.ts';

describe('attack 115: a login as a ServiceAccount, in a process full of credentials (edge case 27: none of them is touched, part A 10.1)', () => {
  const issuer = new TestIssuer();
  const { signal } = new AbortController();
  let clouds: TestClouds;
  let poison: Poison;

  before(async () => {
    clouds = await TestClouds.start(issuer.trusted);
    trust(clouds, 'shop', 'courier');
    poison = await Poison.spread();
  });
  beforeEach(() => {
    clouds.received.length = 0;
  });
  after(async () => {
    await poison.remove();
    await clouds.stop();
  });

  for (const { cloud, logIn, annotation } of cloudCases) {
    it(`touches none of them at ${cloud}`, async () => {
      const identity = federated(issuer.account('shop', 'courier', annotationsFor(clouds)));
      expect(await logIn(identity, clouds.endpoints(), signal)).to.not.match(/POISON/i);
      expect(clouds.received).to.not.deep.equal([]);
      expect(poison.asked).to.deep.equal([]);
    });

    it(`falls back to none of them when ${cloud} refuses`, async () => {
      const identity = federated(issuer.account('bank', 'courier', annotationsFor(clouds)));
      expect(String(await caught(logIn(identity, clouds.endpoints(), signal)))).to.include(
        `${cloud} did not log in ServiceAccount bank/courier`,
      );
      expect(poison.asked).to.deep.equal([]);
    });

    it(`falls back to none of them without annotations for ${cloud}`, async () => {
      const identity = federated(issuer.account('shop', 'courier', {}));
      expect(String(await caught(logIn(identity, clouds.endpoints(), signal)))).to.include(
        annotation.split('/')[0],
      );
      expect(clouds.received).to.deep.equal([]);
      expect(poison.asked).to.deep.equal([]);
    });
  }

  it('is unlike one as the process, which finds what is there', async () => {
    const found = await awsCredentials({ kind: 'Ambient' }, 'eu-central-1', {}, signal);
    expect(found.accessKeyId).to.equal('AKIAPOISONED');
  });
});
