import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect } from 'chai';
import { RetryableError, TerminalError } from '../../src/core/errors.ts';
import type { Resolve } from '../../src/network/guard.ts';
import { type FileServer, startFileServer } from './file-server.ts';
import {
  bearerToken,
  exemptOf,
  outcomeOf,
  prometheusAt,
  scalar,
  webhookAt,
} from './metric-reads.ts';

async function serving<T>(
  listener: (request: IncomingMessage, response: ServerResponse) => void,
  use: (server: FileServer) => Promise<T>,
): Promise<T> {
  const server = await startFileServer(listener);
  try {
    return await use(server);
  } finally {
    await server.stop();
  }
}

describe('attack 122: a metric source that leads inside (its address is judged as that of an http action, part B 4.5)', () => {
  const hosts = [
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '017700000001',
    '[::ffff:127.0.0.1]',
    '[::]',
    '0.0.0.0',
    '169.254.169.254',
    '[fd00:ec2::254]',
    'localhost',
    'a.localhost.',
  ];
  for (const host of hosts) {
    it(`is not read: ${host}, allowed or not`, async () => {
      for (const allowedHosts of [[], ['*']]) {
        const failure = await outcomeOf(prometheusAt(`http://${host}:9090`), { allowedHosts });
        expect(failure).to.be.instanceOf(TerminalError);
        const byWebhook = await outcomeOf(webhookAt(`http://${host}/`, '{.a}'), { allowedHosts });
        expect(byWebhook).to.be.instanceOf(TerminalError);
      }
    });
  }

  it('is stopped at the dial when any address of the name leads there', async () => {
    const resolve: Resolve = (_, callback) =>
      callback(null, [
        { address: '10.1.2.3', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ]);
    const failure = await outcomeOf(prometheusAt('http://prometheus.example'), { resolve });
    expect(failure).to.be.instanceOf(TerminalError);
    expect(String(failure)).to.include('127.0.0.1');
  });

  it('is refused with another scheme, credentials, or a host that matches no --allowed-action-hosts', async () => {
    const allowedHosts = ['*.example.com'];
    for (const address of [
      'ftp://prometheus.example.com',
      'file:///etc/passwd',
      'http://user:pass@prometheus.example.com',
      'http://prometheus.example.org',
    ]) {
      const failure = await outcomeOf(prometheusAt(address), { allowedHosts });
      expect(failure, address).to.be.instanceOf(TerminalError);
      expect(String(failure)).not.to.include('pass@');
    }
  });

  it('reaches no other path than that of the query, whatever the address', async () => {
    const paths: (string | undefined)[] = [];
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      paths.push(request.url?.split('?')[0]);
      response.end(scalar);
    };
    await serving(listener, async (server) => {
      for (const path of ['', '/', '/a/..', '/x?query=other', '/x#/y', '//']) {
        const source = prometheusAt(`${server.origin}${path}`);
        expect(await outcomeOf(source, { exempt: exemptOf(server) }), path).to.equal(0.5);
      }
    });
    expect(new Set(paths)).to.deep.equal(new Set(['/api/v1/query', '/x/api/v1/query']));
  });
});

describe('attack 123: a metric source whose server redirects (edge case 21 of part B 13: no token crosses hosts, and no hop leaves the allow list, part B 4.5)', () => {
  let first: FileServer;
  let second: FileServer;
  const arrived: IncomingMessage['headers'][] = [];
  let location = '';

  before(async () => {
    first = await startFileServer((request, response) => {
      const again = request.url?.startsWith('/api/') === true;
      if (again && location !== '') response.writeHead(307, { location });
      response.end(again && location !== '' ? '' : scalar);
    });
    second = await startFileServer((request, response) => {
      arrived.push(request.headers);
      response.end(scalar);
    });
  });
  beforeEach(() => arrived.splice(0));
  after(async () => {
    await first.stop();
    await second.stop();
  });

  it('sends the token to no other host, port or scheme', async () => {
    for (const target of [second.origin, `http://localhost:${first.port}/`, 'https://127.0.0.1/']) {
      location = target;
      const source = prometheusAt(first.origin, 'token');
      const failure = await outcomeOf(source, { exempt: exemptOf(first, second) });
      expect(failure, target).to.be.instanceOf(TerminalError);
      expect(String(failure)).to.include('the request has a Secret in it');
    }
    expect(arrived).to.deep.equal([]);
  });

  it('keeps the token on the same host and port', async () => {
    location = '/elsewhere';
    const options = { exempt: exemptOf(first) };
    expect(await outcomeOf(prometheusAt(first.origin, 'token'), options)).to.equal(0.5);
  });

  it('is followed without a token, and carries none', async () => {
    location = second.origin;
    const options = { exempt: exemptOf(first, second) };
    expect(await outcomeOf(prometheusAt(first.origin), options)).to.equal(0.5);
    expect(arrived.map(({ authorization }) => authorization)).to.deep.equal([undefined]);
  });

  it('is followed to allowed hosts and addresses only, and the place is not told', async () => {
    const hidden = Buffer.from(bearerToken).toString('hex');
    for (const target of [
      `http://${hidden}.example/`,
      `http://169.254.169.254/${hidden}`,
      `ftp://127.0.0.1/${hidden}`,
      `http://${hidden}:x@127.0.0.1:${second.port}/`,
    ]) {
      location = target;
      const options = { exempt: exemptOf(first, second), allowedHosts: ['127.0.0.1'] };
      const failure = await outcomeOf(prometheusAt(first.origin), options);
      expect(failure, target).to.be.instanceOf(TerminalError);
      expect(String(failure)).not.to.include(hidden);
    }
  });
});

describe('attack 36: a Prometheus answer that is giant, never ends or redirects (its size, time and hops are bounded, part B 4.5)', () => {
  it('is cut off after a megabyte', async () => {
    let sent = 0;
    const listener = (_: IncomingMessage, response: ServerResponse): void => {
      const chunk = Buffer.alloc(64 * 1024, ' ');
      const more = (): void => {
        do sent += chunk.byteLength;
        while (response.write(chunk));
      };
      response.on('drain', more);
      more();
    };
    const failure = await serving(listener, async (server) =>
      outcomeOf(prometheusAt(server.origin), { exempt: exemptOf(server) }),
    );
    expect(failure).to.be.instanceOf(RetryableError);
    expect(String(failure)).to.include('is longer than 1048576 bytes');
    // What was under way in the buffers of both sides comes on top.
    expect(sent).to.be.below(32 * 1024 * 1024);
  });

  it('may be a megabyte, and not a byte more', async () => {
    for (const [size, expected] of [
      [1024 * 1024, 0.5],
      [1024 * 1024 + 1, undefined],
    ] as const) {
      const body = scalar.padEnd(size, ' ');
      const outcome = await serving(
        (_, response) => void response.end(body),
        async (server) => outcomeOf(prometheusAt(server.origin), { exempt: exemptOf(server) }),
      );
      if (expected === undefined) expect(outcome).to.be.instanceOf(RetryableError);
      else expect(outcome).to.equal(expected);
    }
  });

  it('is given up when it trickles', async () => {
    const timers: NodeJS.Timeout[] = [];
    const listener = (_: IncomingMessage, response: ServerResponse): void => {
      timers.push(setInterval(() => response.write(' '), 20));
    };
    const failure = await serving(listener, async (server) =>
      outcomeOf(prometheusAt(server.origin), { exempt: exemptOf(server) }, 500),
    );
    for (const timer of timers) clearInterval(timer);
    expect(failure).to.be.instanceOf(RetryableError);
    expect((failure as RetryableError).reason).to.equal('Timeout');
  });

  it('is given up when it breaks off', async () => {
    const listener = (_: IncomingMessage, response: ServerResponse): void => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write(scalar.slice(0, 20), () => response.destroy());
    };
    const failure = await serving(listener, async (server) =>
      outcomeOf(prometheusAt(server.origin), { exempt: exemptOf(server) }),
    );
    expect(failure).to.be.instanceOf(RetryableError);
    expect((failure as RetryableError).reason).to.equal('ConnectionFailed');
  });

  it('is followed ten times', async () => {
    for (const [times, expected] of [
      [10, 0.5],
      [11, undefined],
    ] as const) {
      let hops = 0;
      const listener = (_: IncomingMessage, response: ServerResponse): void => {
        hops += 1;
        if (hops <= times) response.writeHead(302, { location: '/next' });
        response.end(hops <= times ? '' : scalar);
      };
      const outcome = await serving(listener, async (server) =>
        outcomeOf(prometheusAt(server.origin), { exempt: exemptOf(server) }),
      );
      if (expected === undefined) expect(String(outcome)).to.include('more than 10 times');
      else expect(outcome).to.equal(expected);
    }
  });
});

describe('attack 124: an answer of a metric source that is made to be told (its shape is, and nothing of it, part B 4.5)', () => {
  const loot = 'what-the-inside-knows';
  const answers: [status: number, body: string][] = [
    [200, loot],
    [200, JSON.stringify({ status: 'error', errorType: loot, error: loot })],
    [200, JSON.stringify({ status: 'success', data: { resultType: loot, result: loot } })],
    [200, JSON.stringify({ status: 'success', data: { resultType: 'scalar', result: [1, loot] } })],
    [500, loot],
    [404, loot],
    [301, loot],
  ];
  for (const [status, body] of answers) {
    it(`is not quoted: ${status} ${body.slice(0, 40)}`, async () => {
      await serving(
        (request, response) => {
          response.writeHead(status, `Loot ${loot}`, {
            'x-sent': String(request.headers.authorization),
          });
          response.end(`${body} ${String(request.headers.authorization)}`);
        },
        async (server) => {
          for (const source of [
            prometheusAt(server.origin, 'token'),
            webhookAt(server.origin, '{.error}'),
          ]) {
            const failure = await outcomeOf(source, { exempt: exemptOf(server) });
            expect(failure).to.be.instanceOf(Error);
            expect(String(failure)).not.to.include(loot).and.not.to.include(bearerToken);
            expect(JSON.stringify(failure)).not.to.include(loot);
          }
        },
      );
    });
  }
});

describe('attack 125: a JSONPath and a document that take for ever (both are bounded before they are searched, part B 4.5)', () => {
  const wide = JSON.stringify({ a: new Array(9_990).fill({ b: [] }) });
  const documents: [what: string, body: string][] = [
    ['half a million values', `[${'1,'.repeat(500_000)}1]`],
    ['half a million brackets', '['.repeat(500_000) + ']'.repeat(500_000)],
    ['as many values as may be', wide],
  ];
  const paths = [
    '{..*}',
    '{..b}',
    '{..[*,*,*,*,*,*,*,*]}',
    `{..[${new Array(400).fill('*').join()}]}`,
    '{..*..*..*}',
    '{.a[?(@.b=="x")]}',
    `{${'[*]'.repeat(300)}}`,
  ];
  for (const [what, body] of documents) {
    it(`is refused in a moment: ${what}`, async () => {
      await serving(
        (_, response) => void response.end(body),
        async (server) => {
          for (const path of paths) {
            const start = performance.now();
            const failure = await outcomeOf(webhookAt(server.origin, path), {
              exempt: exemptOf(server),
            });
            expect(failure, path).to.be.instanceOf(RetryableError);
            expect(performance.now() - start, path).to.be.below(3000);
          }
        },
      );
    });
  }
});

describe('attack 126: a metric that is no number (it passes no gate, and counts as unreadable, part B 4.5)', () => {
  const values = ['NaN', '+Inf', '-Inf', 'Infinity', '1e999', '', '0x1', '1_000', 'true', '９'];
  for (const value of values) {
    it(`is unreadable: ${JSON.stringify(value)}`, async () => {
      const data = { resultType: 'scalar', result: [1, value] };
      const body = JSON.stringify({ status: 'success', data });
      await serving(
        (_, response) => void response.end(body),
        async (server) => {
          const options = { exempt: exemptOf(server) };
          const sources = [
            prometheusAt(server.origin),
            webhookAt(server.origin, '{.data.result[1]}'),
          ];
          for (const source of sources) {
            expect(await outcomeOf(source, options)).to.be.instanceOf(RetryableError);
          }
        },
      );
    });
  }
});

describe('attack 127: a proxy of the environment on the way to a metric (none is used, part B 4.5)', () => {
  const names = ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'];
  const before = { ...process.env };

  afterEach(() => {
    for (const name of names) {
      const value = before[name];
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  });

  it('sees no request', async () => {
    let asked = 0;
    await serving(
      (_, response) => {
        asked += 1;
        response.end(scalar);
      },
      async (proxy) => {
        for (const name of names) process.env[name] = name.startsWith('NODE') ? '1' : proxy.origin;
        const value = await serving(
          (_, response) => void response.end(scalar),
          async (server) => outcomeOf(prometheusAt(server.origin), { exempt: exemptOf(server) }),
        );
        expect(value).to.equal(0.5);
      },
    );
    expect(asked).to.equal(0);
  });
});
