import { expect } from 'chai';
import { Tenants } from '../../../src/controller/tenants.ts';
import { TokenStore } from '../../../src/kubernetes/tokens.ts';
import type { StageSet } from '../../../src/types/stages.ts';
import { specOf, stageSetOf } from '../core/snapshot-builder.ts';
import { answer, type LocalServer, startLocalServer } from '../kubernetes/local-server.ts';

function accounts(ofSpec?: string, ofStage?: string): StageSet {
  const [stage] = specOf(['dev']).stages;
  if (stage === undefined) throw new Error('there is a stage');
  return stageSetOf({
    ...(ofSpec === undefined ? {} : { serviceAccountName: ofSpec }),
    stages: [ofStage === undefined ? stage : { ...stage, serviceAccountName: ofStage }],
  });
}

describe('the token of an account', () => {
  it('is forgotten with the last StageSet that acts as it', async () => {
    let minted = 0;
    const server = await startLocalServer((_, response) => {
      minted += 1;
      const expirationTimestamp = new Date(Date.now() + 3_600_000).toISOString();
      answer(response, 201, { status: { token: `token-${minted}`, expirationTimestamp } });
    });
    try {
      const tokens = new TokenStore(server.client);
      const tenants = new Tenants(server.client, tokens, { of: () => undefined });
      const mint = async (name: string): Promise<string> =>
        await tokens.token('team', name, AbortSignal.timeout(5000));
      expect(await mint('all')).to.equal('token-1');
      expect(await mint('mine')).to.equal('token-2');
      tenants.release(accounts('all', 'mine'), (account) => account === 'team/all');
      expect(await mint('all')).to.equal('token-1');
      expect(await mint('mine')).to.equal('token-3');
    } finally {
      await server.stop();
    }
  });
});

describe('who carries out a stage', () => {
  let server: LocalServer;
  let tenants: Tenants;

  before(async () => {
    server = await startLocalServer((_, response) => answer(response, 500, {}));
    tenants = new Tenants(server.client, new TokenStore(server.client), { of: () => undefined });
  });

  after(async () => await server.stop());

  const cases: [string, StageSet, string][] = [
    ["is the stage's account", accounts('all', 'mine'), 'system:serviceaccount:team:mine'],
    ["is the StageSet's account without one", accounts('all'), 'system:serviceaccount:team:all'],
    [
      'is not the controller by an empty name',
      accounts('all', ''),
      'system:serviceaccount:team:all',
    ],
    ['is the controller when nobody is named', accounts(), 'controller'],
    ['is the controller when all names are empty', accounts('', ''), 'controller'],
  ];
  it('is the default account of the namespace when nobody is named', () => {
    const defaults = { of: (namespace: string) => `default-of-${namespace}` };
    const defaulting = new Tenants(server.client, new TokenStore(server.client), defaults);
    const byDefault = 'system:serviceaccount:team:default-of-team';
    expect(defaulting.tenantOf(accounts(), 'dev').identity).to.equal(byDefault);
    expect(defaulting.tenantOf(accounts('', ''), 'dev').identity).to.equal(byDefault);
    const partly = accounts('', 'mine');
    expect(defaulting.tenantOf(partly, 'dev').identity).to.equal('system:serviceaccount:team:mine');
    expect(defaulting.tenantOf(partly).identity).to.equal(byDefault);
  });

  it('attack 95: a StageSet before default accounts are known (nobody acts as the controller, part A 9.2)', () => {
    const unknown = {
      of: (): string => {
        throw new Error('not known yet');
      },
    };
    const waiting = new Tenants(server.client, new TokenStore(server.client), unknown);
    expect(() => waiting.tenantOf(accounts(), 'dev')).to.throw('not known yet');
    expect(waiting.tenantOf(accounts('all'), 'dev').identity).to.equal(
      'system:serviceaccount:team:all',
    );
  });

  for (const [title, stageSet, identity] of cases) {
    it(title, () => {
      const tenant = tenants.tenantOf(stageSet, 'dev');
      expect(tenant.identity).to.equal(identity);
      expect(tenant.client === server.client).to.equal(identity === 'controller');
    });
  }

  it("is the StageSet's account for a stage that left the spec", () => {
    const { identity } = tenants.tenantOf(accounts('all', 'mine'), 'gone');
    expect(identity).to.equal('system:serviceaccount:team:all');
  });
});
