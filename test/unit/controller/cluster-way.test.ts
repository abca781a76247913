import { expect } from 'chai';
import type { CloudEndpoints } from '../../../src/cloud/identity.ts';
import { type ClusterWay, wayTo } from '../../../src/controller/cluster-way.ts';
import { TokenStore } from '../../../src/kubernetes/tokens.ts';
import { caught } from '../../integration/objects.ts';
import { answer, startLocalServer } from '../kubernetes/local-server.ts';

const clouds: CloudEndpoints = {};

function jwt(claims: object): string {
  return `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;
}

/** The way to a cluster that wants tokens for `paris`, where the local ones are as given. */
async function wayWith(localToken: string): Promise<ClusterWay> {
  const server = await startLocalServer((_, response) => {
    const expirationTimestamp = new Date(Date.now() + 3_600_000).toISOString();
    answer(response, 201, { status: { token: localToken, expirationTimestamp } });
  });
  try {
    const { client: own } = server;
    const tokens = new TokenStore(own);
    const description = {
      kind: 'Generic',
      server: new URL('https://paris.example.com'),
      serviceAccountName: 'courier',
      audiences: ['paris'],
    } as const;
    const options = { name: 'ConfigMap shop/paris', namespace: 'shop', own, tokens, clouds };
    return await wayTo(description, options, new AbortController().signal);
  } finally {
    await server.stop();
  }
}

describe('the way to a cluster that takes tokens of this one', () => {
  it('is there when they are for somebody else than the local API server', async () => {
    expect((await wayWith(jwt({ aud: ['local'] }))).identity?.kind).to.equal('Token');
  });

  for (const [what, token] of Object.entries({
    'are for the local API server': jwt({ aud: ['local', 'paris'] }),
    'do not say whom they are for': 'opaque',
    'have no audience': jwt({ sub: 'courier' }),
  })) {
    it(`is none when local tokens ${what}`, async () => {
      expect(String(await caught(wayWith(token)))).to.match(/^\w+: ConfigMap shop\/paris: /);
    });
  }
});
