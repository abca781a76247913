import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { instant } from '../../src/core/time.ts';
import { type GateStand, gateStand } from '../gate-stand.ts';
import { ask } from '../unit/server/request.ts';

const json = { accept: 'application/json' };

describe('the gate endpoint, asked by strangers', () => {
  let stand: GateStand;

  beforeEach(async () => {
    stand = await gateStand();
  });
  afterEach(async () => await stand.stop());

  async function opened(): Promise<Socket> {
    const socket = connect(stand.server.address.port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  }

  it('attack 42: reading other tenants off the gate endpoint (one named stage at a time, and never a message, part B 7.2)', async () => {
    for (const path of [
      '/gate/',
      '/gate/team',
      '/gate/team/shop',
      '/gate/team/',
      '/metrics',
      '/',
    ]) {
      const { status, body } = await ask(stand.server, path, 'GET', json);
      expect(status, path).to.equal(400);
      expect(body, path).not.to.match(/team|shop|web/);
    }
    for (const path of ['/gate/*/shop/web', '/gate/team/*/*', '/gate/team/shop/*']) {
      const { body } = await ask(stand.server, path, 'GET', json);
      expect(JSON.parse(body), path).to.include({ ready: false, phase: '', revision: '' });
    }
    for (const stage of ['web', 'db']) {
      const { body, headers } = await ask(stand.server, `/gate/team/shop/${stage}`, 'GET', json);
      expect(Object.keys(JSON.parse(body) as object)).to.deep.equal([
        'ready',
        'namespace',
        'stageset',
        'stage',
        'phase',
        'revision',
        'observed',
      ]);
      expect(`${JSON.stringify(headers)}${body}`).not.to.include('hunter2');
      expect(headers).not.to.have.any.keys('etag', 'x-powered-by');
    }
    const unknown = await ask(stand.server, '/gate/team/store/web');
    const failed = await ask(stand.server, '/gate/team/shop/db');
    expect(unknown.body).to.equal(failed.body);
    expect(JSON.stringify(stand.lines)).not.to.include('hunter2');
  });

  it('attack 130: names at the gate that mean something else once they are decoded (a name is one segment, part B 7.2)', async () => {
    const hostile = [
      'team%2Fshop/web/web',
      'team/shop%2Fother/web',
      'team/shop/web%00',
      'team/shop/web%0d%0alevel=error',
      'team/../web',
      'team/%2e%2e/web',
      'team/shop/web%22%7d',
      'TEAM/shop/web',
      `team/shop/${'a'.repeat(254)}`,
      'team/__proto__/constructor',
    ];
    for (const path of hostile) {
      const answer = await ask(stand.server, `/gate/${path}`);
      expect(answer, path).to.include({ status: 403, body: 'not ready\n' });
      const full = await ask(stand.server, `/gate/${path}`, 'GET', json);
      expect(JSON.parse(full.body), path).to.include({ ready: false, phase: '', revision: '' });
      expect(full.headers, path).to.include({ 'x-content-type-options': 'nosniff' });
    }
    expect(stand.lookedUp).to.deep.equal([]);
    expect(stand.lines).to.deep.equal([]);
  });

  it('attack 131: filling the log through the gate (ten lines a minute, part B 7.2)', async () => {
    for (let count = 0; count < 100; count += 1) {
      await ask(stand.server, `/gate/team/store-${count}/web`);
    }
    expect(stand.lines).to.have.lengthOf(10);
    stand.now = instant(60_000);
    await ask(stand.server, '/gate/team/store/web');
    expect(stand.lines.at(-1)).to.include({ stageSet: 'store', leftOut: 90 });
  });

  it('attack 132: requests at the gate that are too large, or too many (headers and connections are bounded, part B 7.2)', async () => {
    const large = await ask(stand.server, '/gate/team/shop/web', 'GET', {
      accept: 'a'.repeat(20_000),
    });
    expect(large.status).to.equal(431);

    const socket = await opened();
    socket.write('GET /gate/team/shop/web HTTP/1.1\r\nHost: gate\r\nContent-Length: 9\r\n');
    socket.end('Content-Length: 1\r\n\r\n');
    expect(await text(socket)).to.match(/^HTTP\/1\.1 400 /);

    const idle: Socket[] = [];
    try {
      for (let count = 0; count < 256; count += 1) idle.push(await opened());
      const refused = await opened();
      const closed = once(refused, 'close');
      refused.on('error', () => undefined);
      refused.write('GET /gate/team/shop/web HTTP/1.1\r\nHost: gate\r\n\r\n');
      await closed;
      expect(refused.bytesRead).to.equal(0);
    } finally {
      for (const one of idle) one.destroy();
    }
  });
});
