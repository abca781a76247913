import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { expect } from 'chai';
import { HttpActions, type HttpActionsOptions } from '../../src/actions/http.ts';
import { RetryableError, TerminalError } from '../../src/core/errors.ts';
import type { Resolve } from '../../src/network/guard.ts';
import type { HttpAction } from '../../src/types/stages.ts';
import { type FileServer, startFileServer } from './file-server.ts';
import { contextOf, exempt, outcomeOf, secretValue } from './http-action-calls.ts';

describe('attack 118: an http action that leads inside (edge case 15: every spelling is judged as its address, part A 7.3)', () => {
  const hosts = [
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '017700000001',
    '[::ffff:127.0.0.1]',
    '169.254.169.254',
    '0xA9FEA9FE',
    '[fd00:ec2::254]',
    'localhost',
    'a.localhost.',
    '[fe80::1%25eth0]',
  ];
  for (const host of hosts) {
    for (const allowedHosts of [[], ['*']]) {
      const list =
        allowedHosts.length === 0
          ? 'no allow list'
          : `--allowed-action-hosts=${allowedHosts.join()}`;
      it(`is not called: ${host}, ${list}`, async () => {
        const failure = await outcomeOf({ url: `http://${host}/` }, { allowedHosts });
        expect(failure).to.be.instanceOf(TerminalError);
      });
    }
  }

  it('is stopped at the dial when the name leads there, allowed or not', async () => {
    const resolve: Resolve = (_, callback) =>
      callback(null, [{ address: '169.254.169.254', family: 4 }]);
    const options = { allowedHosts: ['hooks.example.com'], resolve };
    const failure = await outcomeOf({ url: 'http://hooks.example.com/' }, options);
    expect(failure).to.be.instanceOf(TerminalError);
    expect(String(failure)).to.include('169.254.169.254');
  });

  it('is stopped at the second look-up of a name that answers differently', async () => {
    const server = await startFileServer((_, response) => {
      response.writeHead(302, { location: 'http://rebind.example.com/' }).end();
    });
    let asked = 0;
    const resolve: Resolve = (_, callback) => {
      asked += 1;
      callback(null, [{ address: '127.0.0.1', family: 4 }]);
    };
    const failure = await outcomeOf(
      { url: `${server.origin}/` },
      { exempt: exempt(server), resolve },
    );
    await server.stop();
    expect(failure).to.be.instanceOf(TerminalError);
    expect(asked).to.equal(1);
  });

  it('is refused with credentials in the URL, and with another scheme', async () => {
    for (const url of ['http://user:pass@hooks.example.com/', 'ftp://hooks.example.com/']) {
      expect(await outcomeOf({ url }, {})).to.be.instanceOf(TerminalError);
    }
  });

  it('is refused where it matches no --allowed-action-hosts', async () => {
    const options = { allowedHosts: ['*.example.com', 'hook[12].test'] };
    const failure = await outcomeOf({ url: 'https://hooks.example.org/' }, options);
    expect(String(failure)).to.include('matches none of --allowed-action-hosts');
  });
});

describe('attack 119: an http action whose server redirects (edge case 17: no Secret crosses hosts, part A 7.3)', () => {
  let first: FileServer;
  let second: FileServer;
  const arrived: IncomingMessage['headers'][] = [];
  let answer: (request: IncomingMessage, response: ServerResponse) => void = () => undefined;

  before(async () => {
    first = await startFileServer((request, response) => answer(request, response));
    second = await startFileServer((request, response) => {
      arrived.push(request.headers);
      response.end();
    });
  });
  beforeEach(() => arrived.splice(0));
  after(async () => {
    await first.stop();
    await second.stop();
  });

  const both = (): HttpActionsOptions['exempt'] => [
    ...(exempt(first) ?? []),
    ...(exempt(second) ?? []),
  ];

  it('sends nothing of a Secret to another host or port', async () => {
    answer = (_, response) => response.writeHead(307, { location: second.origin }).end();
    for (const secret of [
      { headersFrom: [{ name: 'token', key: 'Authorization' }] },
      { bodyFrom: { name: 'token', key: 'Authorization' } },
    ]) {
      const http = { url: first.origin, ...secret };
      const failure = await outcomeOf(http, { exempt: both() });
      expect(failure).to.be.instanceOf(TerminalError);
      expect(String(failure)).not.to.include(secretValue);
    }
    expect(arrived).to.deep.equal([]);
  });

  it('tells nothing of the place, in which the Secret may be hidden', async () => {
    const hidden = Buffer.from(secretValue).toString('hex');
    for (const location of [
      `http://${hidden}.example.com/`,
      `http://127.0.0.1/${hidden}`,
      `http://${hidden}:x@127.0.0.1:${first.port}/`,
      `/${hidden}`,
      `ftp://${hidden}.example.com/`,
    ]) {
      answer = (request, response) => {
        if (request.url === '/') response.writeHead(307, { location });
        else response.writeHead(404);
        response.end();
      };
      const http = { url: first.origin, headersFrom: [{ name: 'token', key: 'Authorization' }] };
      const failure = await outcomeOf(http, { exempt: both() });
      expect(failure, location).to.be.instanceOf(TerminalError);
      expect(String(failure)).not.to.include(hidden);
    }
  });

  it('tells nothing of the path that is refused to a request without a Secret either', async () => {
    answer = (_, response) => {
      response.writeHead(302, { location: 'http://169.254.169.254/what-it-knows' }).end();
    };
    const failure = await outcomeOf({ url: first.origin }, { exempt: both() });
    expect(failure).to.be.instanceOf(TerminalError);
    expect(String(failure)).not.to.include('what-it-knows');
  });

  it('is followed to allowed hosts only', async () => {
    answer = (_, response) => response.writeHead(307, { location: 'http://other.example/' }).end();
    const options = { exempt: both(), allowedHosts: ['127.0.0.1'] };
    expect(await outcomeOf({ url: first.origin }, options)).to.be.instanceOf(TerminalError);
  });

  it('keeps the headers on the same host, and strips the line break of the value', async () => {
    const seen: (string | undefined)[] = [];
    answer = (request, response) => {
      seen.push(request.headers.authorization);
      if (request.url === '/') response.writeHead(307, { location: '/next' });
      response.end();
    };
    const http = {
      url: `${first.origin}/`,
      headersFrom: [{ name: 'token', key: 'Authorization' }],
    };
    expect(await outcomeOf(http, { exempt: both() })).to.deep.equal({ kind: 'Done' });
    expect(seen).to.deep.equal([secretValue, secretValue]);
  });

  it('follows without a Secret, with the key of the attempt', async () => {
    answer = (_, response) => response.writeHead(308, { location: second.origin }).end();
    expect(await outcomeOf({ url: first.origin }, { exempt: both() })).to.deep.equal({
      kind: 'Done',
    });
    expect(arrived[0]?.['idempotency-key']).to.equal('key-of-the-run');
  });

  it('gives up after ten', async () => {
    answer = (_, response) => response.writeHead(307, { location: '/' }).end();
    const failure = await outcomeOf({ url: `${first.origin}/` }, { exempt: both() });
    expect(failure).to.be.instanceOf(TerminalError);
  });
});

describe('attack 120: a Secret that makes other headers (a name is a token, a value has no line, part A 7.3)', () => {
  for (const key of ['Host', 'Expect', 'Split', 'missing', undefined]) {
    it(`is refused: key ${String(key)}`, async () => {
      const http: HttpAction = {
        url: 'http://hooks.example.com/',
        headersFrom: [{ name: 'token', ...(key === undefined ? {} : { key }) }],
      };
      const failure = await outcomeOf(http, {});
      expect(failure).to.be.instanceOf(TerminalError);
      expect(String(failure)).not.to.include('X-Other');
    });
  }
});

describe('attack 121: an http server that answers too much, too slowly or with secrets (of an answer only the status is told, part A 7.3)', () => {
  it('is not quoted, whatever it says', async () => {
    const server = await startFileServer((request, response) => {
      response.writeHead(500).end(`you sent ${String(request.headers.authorization)}`);
    });
    const http = { url: server.origin, headersFrom: [{ name: 'token', key: 'Authorization' }] };
    const failure = await outcomeOf(http, { exempt: exempt(server) });
    await server.stop();
    expect(failure).to.be.instanceOf(RetryableError);
    expect(String(failure)).to.include('answered 500').and.not.to.include(secretValue);
  });

  it('is cut off when its body never ends', async () => {
    const server = await startFileServer((_, response) => {
      response.writeHead(200);
      const chunk = Buffer.alloc(64 * 1024, 'x');
      const more = (): void => {
        while (response.write(chunk));
      };
      response.on('drain', more);
      more();
    });
    const outcome = await outcomeOf({ url: server.origin }, { exempt: exempt(server) });
    await server.stop();
    expect(outcome).to.deep.equal({ kind: 'Done' });
  });

  it('is given up when it says nothing', async function () {
    this.timeout(60_000);
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const actions = new HttpActions({ allowedHosts: [], exempt: [{ host: '127.0.0.1', port }] });
    const http = { url: `http://127.0.0.1:${port}/` };
    const limits = { signal: AbortSignal.timeout(500) };
    const failure = await actions
      .call(contextOf(http).context, http, limits)
      .catch((e: unknown) => e);
    await actions.stop();
    for (const socket of sockets) socket.destroy();
    server.close();
    expect(failure).to.be.instanceOf(RetryableError);
    expect((failure as RetryableError).reason).to.equal('Timeout');
  });

  it('is given up when its body trickles, and has answered all the same', async () => {
    const timers: NodeJS.Timeout[] = [];
    const server = await startFileServer((_, response) => {
      response.writeHead(500);
      timers.push(setInterval(() => response.write('x'), 20));
    });
    const actions = new HttpActions({ allowedHosts: [], exempt: exempt(server) ?? [] });
    const http = { url: server.origin };
    const limits = { signal: AbortSignal.timeout(500) };
    const failure = await actions
      .call(contextOf(http).context, http, limits)
      .catch((e: unknown) => e);
    for (const timer of timers) clearInterval(timer);
    await actions.stop();
    await server.stop();
    expect(String(failure)).to.include('answered 500');
  });

  it('says when to call again by a time, too', async () => {
    const server = await startFileServer((_, response) => {
      const date = 'Fri, 27 Nov 2026 10:00:00 GMT';
      const later = 'Fri, 27 Nov 2026 10:00:30 GMT';
      response.writeHead(503, { date, 'retry-after': later }).end();
    });
    const failure = await outcomeOf({ url: server.origin }, { exempt: exempt(server) });
    await server.stop();
    expect((failure as RetryableError).retryAfter).to.equal(30_000);
  });

  it('says when to call again', async () => {
    const server = await startFileServer((_, response) => {
      response.writeHead(503, { 'retry-after': '7' }).end();
    });
    const failure = await outcomeOf({ url: server.origin }, { exempt: exempt(server) });
    await server.stop();
    expect((failure as RetryableError).retryAfter).to.equal(7000);
  });
});

describe('the answer to an http action (edge case 18: what is sure to fail again is not tried again, part A 7.2)', () => {
  const statuses: [number, 'Done' | 'Terminal' | 'Retryable'][] = [
    [200, 'Done'],
    [204, 'Done'],
    [299, 'Done'],
    [304, 'Retryable'],
    [400, 'Terminal'],
    [401, 'Terminal'],
    [404, 'Terminal'],
    [408, 'Retryable'],
    [409, 'Terminal'],
    [429, 'Retryable'],
    [500, 'Retryable'],
    [503, 'Retryable'],
  ];
  for (const [status, wanted] of statuses) {
    it(`${status} is ${wanted}`, async () => {
      const server = await startFileServer((_, response) => response.writeHead(status).end());
      const outcome = await outcomeOf({ url: server.origin }, { exempt: exempt(server) });
      await server.stop();
      if (wanted === 'Done') expect(outcome).to.deep.equal({ kind: 'Done' });
      else {
        expect(outcome).to.be.instanceOf(wanted === 'Terminal' ? TerminalError : RetryableError);
      }
    });
  }

  it('is one to the method and body that were asked for, with the key of the action or its own', async () => {
    const seen: (string | undefined)[][] = [];
    const server = await startFileServer((request, response) => {
      const { method, headers } = request;
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const key = headers['idempotency-key'];
        seen.push([method, Buffer.concat(chunks).toString(), String(key)]);
        response.end();
      });
    });
    const url = server.origin;
    const bodyFrom = { name: 'token', key: 'Idempotency-Key' };
    const calls: HttpAction[] = [
      { url },
      ...(['GET', 'HEAD', 'DELETE'] as const).map((method) => ({ url, method })),
      { url, method: 'PUT', body: 'text' },
      { url, method: 'PATCH', body: 'text', bodyFrom, headersFrom: [bodyFrom] },
    ];
    for (const http of calls) {
      expect(await outcomeOf(http, { exempt: exempt(server) })).to.deep.equal({ kind: 'Done' });
    }
    await server.stop();
    expect(seen).to.deep.equal([
      ['POST', '', 'key-of-the-run'],
      ['GET', '', 'key-of-the-run'],
      ['HEAD', '', 'key-of-the-run'],
      ['DELETE', '', 'key-of-the-run'],
      ['PUT', 'text', 'key-of-the-run'],
      ['PATCH', 'mine', 'mine'],
    ]);
  });

  it('is what expectedStatus says, and nothing else', async () => {
    const server = await startFileServer((_, response) => response.writeHead(409).end());
    const http = { url: server.origin, expectedStatus: [409] };
    const done = await outcomeOf(http, { exempt: exempt(server) });
    const other = await outcomeOf(
      { url: server.origin, expectedStatus: [200] },
      { exempt: exempt(server) },
    );
    await server.stop();
    expect(done).to.deep.equal({ kind: 'Done' });
    expect(String(other)).to.include('answered 409 instead of 200');
  });
});
