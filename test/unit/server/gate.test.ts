import { expect } from 'chai';
import { instant, seconds } from '../../../src/core/time.ts';
import { gateApp } from '../../../src/server/gate.ts';
import type { StageSet } from '../../../src/types/stages.ts';
import { type GateStand, gateStand, shop } from '../../gate-stand.ts';
import { silentLogger } from '../../logger.ts';
import { ask, serveOnLoopback } from './request.ts';

const json = { accept: 'application/json' };

describe('the gate endpoint', () => {
  let stand: GateStand;

  before(async () => {
    stand = await gateStand();
  });
  beforeEach(() => {
    stand.lines.length = 0;
    stand.now = instant(stand.now + 60_000);
  });
  after(async () => await stand.stop());

  it('answers 200 for a stage whose phase is Ready', async () => {
    const text = await ask(stand.server, '/gate/team/shop/web');
    expect(text).to.include({ status: 200, body: 'ready\n' });
    expect(text.headers).to.include({
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      vary: 'Accept',
    });
    const full = await ask(stand.server, '/gate/team/shop/web?again=1', 'GET', json);
    expect(full.status).to.equal(200);
    expect(full.headers['content-type']).to.equal('application/json; charset=utf-8');
    expect(JSON.parse(full.body)).to.deep.equal({
      ready: true,
      namespace: 'team',
      stageset: 'shop',
      stage: 'web',
      phase: 'Ready',
      revision: 'v2@sha256:2',
      observed: { generation: 2, observedGeneration: 2, promotion: '' },
    });
    expect(stand.lines).to.deep.equal([]);
  });

  it('answers JSON to whoever takes it among other things', async () => {
    for (const accept of ['text/plain, Application/JSON;q=0.1', 'application/json, */*']) {
      const { headers } = await ask(stand.server, '/gate/team/shop/web', 'GET', { accept });
      expect(headers['content-type']).to.match(/^application\/json/);
    }
    const { headers } = await ask(stand.server, '/gate/team/shop/web', 'GET', { accept: '*/*' });
    expect(headers['content-type']).to.match(/^text\/plain/);
  });

  it('answers 403 for a stage in another phase, or 200 and not ready as JSON', async () => {
    const text = await ask(stand.server, '/gate/team/shop/db');
    expect(text).to.include({ status: 403, body: 'not ready\n' });
    const full = await ask(stand.server, '/gate/team/shop/db', 'GET', json);
    expect(full.status).to.equal(200);
    expect(JSON.parse(full.body)).to.include({
      ready: false,
      phase: 'Failed',
      revision: 'v1@sha256:1',
    });
    expect(stand.lines).to.deep.equal([]);
  });

  for (const [what, path, why] of [
    ['an unknown stage', 'team/shop/cache', 'it has no such stage yet'],
    ['an unknown StageSet', 'team/store/web', 'there is no such StageSet'],
    ['a StageSet that cannot be read', 'unwatched/shop/web', undefined],
  ] as const) {
    it(`is closed for ${what}, and says so in the log`, async () => {
      expect((await ask(stand.server, `/gate/${path}`)).status).to.equal(403);
      const full = await ask(stand.server, `/gate/${path}`, 'GET', json);
      const [namespace, stageset, stage] = path.split('/');
      expect(full.status).to.equal(200);
      expect(JSON.parse(full.body)).to.deep.equal({
        ready: false,
        namespace,
        stageset,
        stage,
        phase: '',
        revision: '',
      });
      expect(stand.lines).to.have.lengthOf(2);
      expect(stand.lines[0]).to.include({ namespace, stageSet: stageset, stage });
      expect(stand.lines[0]).to.include(
        why === undefined ? { level: 'warn', error: 'not watched' } : { level: 'info', what: why },
      );
    });
  }

  for (const path of [
    '/',
    '/gate',
    '/gate/team/shop',
    '/gate/team/shop/',
    '/gate/team/shop/web/',
    '/gate/team/shop/web/more',
    '/gate//shop/web',
    '/Gate/team/shop/web',
    '/gates/team/shop/web',
    '/x/gate/team/shop/web',
    '/gate/team/shop/%E0%A4%A',
  ]) {
    it(`answers 400 for a path of another shape: ${path}`, async () => {
      const body = 'ask for /gate/{namespace}/{stageset}/{stage}\n';
      expect(await ask(stand.server, path)).to.include({ status: 400, body });
      expect(await ask(stand.server, path, 'GET', json)).to.include({ status: 400, body });
    });
  }

  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']) {
    it(`answers 405 for ${method}`, async () => {
      for (const path of ['/gate/team/shop/web', '/']) {
        const refused = await ask(stand.server, path, method);
        expect(refused.status).to.equal(405);
        expect(refused.headers['allow']).to.equal('GET');
        if (method !== 'HEAD') expect(refused.body).to.equal('only GET is served here\n');
      }
    });
  }

  it('answers 500 when it fails itself, and goes on', async () => {
    let broken = true;
    const odd: StageSet = {
      ...shop,
      get status(): StageSet['status'] {
        if (broken) throw new Error('hunter2');
        return shop.status;
      },
    };
    const server = await serveOnLoopback(
      gateApp({ stageSet: () => odd, logger: silentLogger, clock: () => instant(0) }),
    );
    try {
      for (const headers of [{}, json]) {
        const answer = await ask(server, '/gate/team/shop/web', 'GET', headers);
        expect(answer).to.include({ status: 500, body: 'the request failed\n' });
      }
      broken = false;
      expect((await ask(server, '/gate/team/shop/web')).status).to.equal(200);
    } finally {
      await server.stop(seconds(1));
    }
  });
});
