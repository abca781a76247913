import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { expect } from 'chai';
import type { ActionContext } from '../../src/actions/action-context.ts';
import { HttpActions, type HttpActionsOptions } from '../../src/actions/http.ts';
import { RetryableError, TerminalError } from '../../src/core/errors.ts';
import type { Resolve } from '../../src/network/guard.ts';
import type { Action, HttpAction } from '../../src/types/stages.ts';
import { type FileServer, startFileServer } from './file-server.ts';

/** What the tenant's Secret `token` has, as the API server would answer. */
const secretValue = 'canary-of-an-http-action';

/** An action without anything in a cluster but one Secret: what is attacked is the way to the server. */
function contextOf(http: HttpAction): { context: ActionContext; told: string[] } {
  const told: string[] = [];
  const action: Action = { name: 'call', http };
  const find = async (): Promise<object> =>
    await Promise.resolve({
      data: {
        Authorization: Buffer.from(`${secretValue}\n`).toString('base64'),
        Host: Buffer.from('elsewhere').toString('base64'),
        Split: Buffer.from('a\r\nX-Other: b').toString('base64'),
      },
    });
  const context = {
    client: { find },
    stageSet: { namespace: 'team', name: 'shop', uid: 'uid' },
    stage: 'dev',
    action,
    revision: 'v1',
    idempotencyKey: 'key-of-the-run',
    onSecretValue: (value: string) => told.push(value),
  };
  return { context: context as unknown as ActionContext, told };
}

const call = { signal: AbortSignal.timeout(60_000) };

async function outcomeOf(http: HttpAction, options: Partial<HttpActionsOptions>): Promise<unknown> {
  const actions = new HttpActions({ allowedHosts: [], ...options });
  try {
    return await actions.call(contextOf(http).context, http, call);
  } catch (error) {
    return error;
  } finally {
    await actions.stop();
  }
}

function exempt({ port }: FileServer): HttpActionsOptions['exempt'] {
  return [{ host: '127.0.0.1', port }];
}

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
  for (const key of ['Host', 'Split', 'missing', undefined]) {
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

  it('may not ask for any pause', async () => {
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
