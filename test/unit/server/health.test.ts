import { expect } from 'chai';
import { seconds } from '../../../src/core/time.ts';
import { healthApp } from '../../../src/server/health.ts';
import type { RunningServer } from '../../../src/server/http-server.ts';
import { ask, serveOnLoopback } from './request.ts';

describe('health endpoints', () => {
  let server: RunningServer;
  let caches: string | undefined;

  before(async () => {
    const broken = (): string | undefined => {
      throw new Error('token abc');
    };
    const app = healthApp({
      live: [{ name: 'ping', check: () => undefined }],
      ready: [
        { name: 'caches', check: () => caches },
        { name: 'ping', check: () => undefined },
        { name: 'broken', check: () => (caches === 'break' ? broken() : undefined) },
      ],
    });
    server = await serveOnLoopback(app);
  });

  beforeEach(() => {
    caches = undefined;
  });

  after(async () => server.stop(seconds(1)));

  it('answers ok while all checks hold', async () => {
    const answer = await ask(server, '/readyz');
    expect(answer.status).to.equal(200);
    expect(answer.body).to.equal('ok');
    expect(answer.headers['content-type']).to.equal('text/plain; charset=utf-8');
    expect(answer.headers['cache-control']).to.equal('no-store');
    expect(answer.headers).to.not.have.property('x-powered-by');
  });

  it('stays alive while it is not ready, and says what is missing', async () => {
    caches = 'no CustomResourceDefinition stagesets.stages.metio.wtf';
    expect((await ask(server, '/healthz')).status).to.equal(200);
    const answer = await ask(server, '/readyz');
    expect(answer.status).to.equal(500);
    expect(answer.body).to.equal(
      [
        '[-]caches failed: no CustomResourceDefinition stagesets.stages.metio.wtf',
        '[+]ping ok',
        '[+]broken ok',
        'readyz check failed',
        '',
      ].join('\n'),
    );
  });

  it('lists the checks when asked to be verbose', async () => {
    const answer = await ask(server, '/healthz?verbose');
    expect(answer.status).to.equal(200);
    expect(answer.body).to.equal('[+]ping ok\nhealthz check passed\n');
  });

  it('leaves out what is excluded, and tells of names that are no check', async () => {
    caches = 'not synced';
    const answer = await ask(server, '/readyz?verbose=true&exclude=caches&exclude=cache');
    expect(answer.status).to.equal(200);
    expect(answer.body).to.equal(
      [
        '[+]caches excluded: ok',
        '[+]ping ok',
        '[+]broken ok',
        'warn: "cache" is no check of readyz, nothing was excluded for it',
        'readyz check passed',
        '',
      ].join('\n'),
    );
  });

  it('answers for one check alone', async () => {
    caches = 'not synced';
    expect(await ask(server, '/readyz/ping')).to.include({ status: 200, body: 'ok' });
    expect(await ask(server, '/readyz/caches')).to.include({ status: 500, body: 'not synced\n' });
    expect(await ask(server, '/readyz/nothing')).to.include({ status: 404, body: 'not found\n' });
  });

  it('takes a check that throws for a failing one without quoting it', async () => {
    caches = 'break';
    const answer = await ask(server, '/readyz?exclude=caches');
    expect(answer.status).to.equal(500);
    expect(answer.body).to.contain('[-]broken failed: the check itself failed');
    expect(answer.body).to.not.contain('abc');
  });

  it('answers HEAD without a body and refuses to be written to', async () => {
    expect(await ask(server, '/readyz', 'HEAD')).to.include({ status: 200, body: '' });
    const refused = await ask(server, '/readyz', 'POST');
    expect(refused).to.include({ status: 405, body: 'only GET and HEAD are served here\n' });
    expect(refused.headers['allow']).to.equal('GET, HEAD');
  });

  it('does not tell a stack for a path that cannot be decoded', async () => {
    const answer = await ask(server, '/readyz/%E0%A4%A');
    expect(answer.status).to.be.oneOf([400, 404]);
    expect(answer.body).to.not.contain('node_modules');
  });
});
