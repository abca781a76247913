import { expect } from 'chai';
import { isCloudFault } from '../../../src/cloud/cloud-error.ts';
import { jsonAnswer, TestClouds, type Trouble } from '../../clouds/server.ts';
import { TestIssuer } from '../../clouds/service-account-tokens.ts';
import { annotationsFor, cloudCases, federated, trust } from '../../clouds/shop.ts';
import { caught } from '../../integration/objects.ts';

const huge = 'x'.repeat(3 * 1024 * 1024);

/** What a token service may do instead of answering. */
const troubles: [what: string, trouble: Trouble][] = [
  ['answers 500', () => ({ status: 500, headers: {}, body: 'out of order' })],
  ['answers no JSON and no XML', () => ({ status: 200, headers: {}, body: '<html>hello' })],
  ['answers something else', () => jsonAnswer(200, { hello: 'there', accessToken: 5 })],
  ['answers with far too much', () => jsonAnswer(200, { access_token: huge })],
  [
    'redirects elsewhere',
    () => ({ status: 307, headers: { location: 'https://localhost:1/' }, body: '' }),
  ],
  [
    'hangs up',
    (_, response) => {
      response.destroy();
      return 'Handled';
    },
  ],
  [
    'repeats the token that it was shown',
    ({ body }) => jsonAnswer(400, { error: 'invalid_request', error_description: tokenIn(body) }),
  ],
];

function tokenIn(body: string): string {
  const form = new URLSearchParams(body);
  return ['WebIdentityToken', 'subject_token', 'client_assertion']
    .map((name) => form.get(name) ?? '')
    .join('');
}

describe('attack 116: a login as a ServiceAccount at a cloud that is hostile or in trouble (it fails soon, and repeats no token, part A 10.1)', () => {
  const issuer = new TestIssuer();
  const { signal } = new AbortController();
  let clouds: TestClouds;
  let minted: string[];

  before(async () => {
    clouds = await TestClouds.start(issuer.trusted);
    trust(clouds, 'shop', 'courier');
  });
  beforeEach(() => {
    minted = [];
    clouds.received.length = 0;
  });
  after(async () => {
    await clouds.stop();
  });

  function courier() {
    const account = issuer.account('shop', 'courier', annotationsFor(clouds));
    return federated({
      ...account,
      mintToken: async (audiences, until) => {
        const token = await account.mintToken(audiences, until);
        minted.push(token);
        return token;
      },
    });
  }

  /** Everything that a log might print of an error. */
  function saidBy(error: unknown): string {
    const { message, stack, cause } = error as Error;
    return [message, stack, String(cause), JSON.stringify(error)].join('\n');
  }

  for (const [what, trouble] of troubles) {
    for (const { cloud, logIn, mostTries } of cloudCases) {
      it(`${what} fails, soon and without a word of the token (${cloud})`, async function () {
        this.timeout(8000);
        clouds.trouble = trouble;
        const endpoints = clouds.endpoints();
        const error = await caught(logIn(courier(), endpoints, signal));
        expect(isCloudFault(error), String(error)).to.equal(true);
        expect(String(error)).to.include(`${cloud} did not log in ServiceAccount shop/courier`);
        expect(minted).to.have.length(1);
        expect(saidBy(error)).to.not.include(minted[0]!.split('.')[2]);
        expect(String(error)).to.have.length.below(500);
        expect(clouds.received.length).to.be.within(1, mostTries);
        clouds.trouble = () => undefined;
        expect(await logIn(courier(), endpoints, signal)).to.not.equal('');
      });
    }
  }

  for (const { cloud, logIn } of cloudCases) {
    it(`does not answer keeps nobody who gives up (${cloud})`, async () => {
      const asked = new Promise<void>((resolve) => {
        clouds.trouble = () => {
          resolve();
          return 'Handled';
        };
      });
      const leaving = new AbortController();
      const waiting = caught(logIn(courier(), clouds.endpoints(), leaving.signal));
      await asked;
      leaving.abort(new Error('I have to go'));
      expect(String(await waiting)).to.include('I have to go');
      clouds.trouble = () => undefined;
    });
  }
});
