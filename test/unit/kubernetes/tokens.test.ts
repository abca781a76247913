import { expect } from 'chai';
import { instant } from '../../../src/core/time.ts';
import { TokenStore } from '../../../src/kubernetes/tokens.ts';
import { caught } from '../../integration/objects.ts';
import { answer, type LocalServer, startLocalServer } from './local-server.ts';

describe('the token store', () => {
  const { signal } = new AbortController();
  const start = Date.parse('2025-01-01T00:00:00Z');
  let now = start;
  let minted = 0;
  let hold: Promise<void> = Promise.resolve();
  let server: LocalServer;
  let tokens: TokenStore;

  beforeEach(async () => {
    now = start;
    minted = 0;
    hold = Promise.resolve();
    server = await startLocalServer(async (request, response) => {
      minted += 1;
      const token = `token-${minted}`;
      await hold;
      const { spec } = JSON.parse(request.body) as { spec: { expirationSeconds: number } };
      const expirationTimestamp = new Date(now + spec.expirationSeconds * 1000).toISOString();
      answer(response, 201, { kind: 'TokenRequest', status: { token, expirationTimestamp } });
    });
    tokens = new TokenStore(server.client, { now: () => instant(now), maxTokens: 2 });
  });

  afterEach(() => server.stop());

  it('asks for one hour and hands the token out until five minutes before its end', async () => {
    expect(await tokens.token('team', 'sa', signal)).to.equal('token-1');
    const body = JSON.parse(server.received[0]?.body ?? '') as { spec: unknown };
    expect(body.spec).to.deep.equal({ expirationSeconds: 3600 });
    now = start + 54 * 60_000;
    expect(await tokens.token('team', 'sa', signal)).to.equal('token-1');
    now = start + 55 * 60_000;
    expect(await tokens.token('team', 'sa', signal)).to.equal('token-2');
  });

  it('lets an eviction win over a mint that is under way', async () => {
    let release = (): void => undefined;
    hold = new Promise((resolve) => {
      release = resolve;
    });
    const early = tokens.token('team', 'sa', signal);
    while (server.received.length === 0) await new Promise((resolve) => setImmediate(resolve));
    tokens.evict('team', 'sa');
    release();
    expect(await early).to.equal('token-1');
    expect(await tokens.token('team', 'sa', signal)).to.equal('token-2');
  });

  it('evicts once when several calls were refused with the same token', async () => {
    await tokens.token('team', 'sa', signal);
    tokens.evict('team', 'sa', 'token-1');
    expect(await tokens.token('team', 'sa', signal)).to.equal('token-2');
    tokens.evict('team', 'sa', 'token-1');
    expect(await tokens.token('team', 'sa', signal)).to.equal('token-2');
  });

  it('does not end a mint because one of those who wait gives up', async () => {
    let release = (): void => undefined;
    hold = new Promise((resolve) => {
      release = resolve;
    });
    const impatient = new AbortController();
    const first = caught(tokens.token('team', 'sa', impatient.signal));
    const second = tokens.token('team', 'sa', signal);
    impatient.abort(new Error('gave up'));
    expect(((await first) as Error).message).to.equal('gave up');
    release();
    expect(await second).to.equal('token-1');
    expect(minted).to.equal(1);
  });

  it('remembers no more accounts than its bound', async () => {
    await tokens.token('team', 'a', signal);
    await tokens.token('team', 'b', signal);
    await tokens.token('team', 'c', signal);
    expect(await tokens.token('team', 'c', signal)).to.equal('token-3');
    expect(await tokens.token('team', 'a', signal)).to.equal('token-4');
  });
});
