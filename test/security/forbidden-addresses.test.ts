import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect } from 'chai';
import { RetryableError, TerminalError } from '../../src/core/errors.ts';
import { milliseconds } from '../../src/core/time.ts';
import type { Resolve } from '../../src/network/guard.ts';
import { archive, digestOf } from './archives.ts';
import { ArtifactFetching, failureOf } from './artifact-fetching.ts';
import { serving } from './file-server.ts';

const good = archive([{ name: 'a.yaml', content: 'kind: ConfigMap\n' }]);

/** Every way to write an address that leads to the controller, its node or its cloud. */
const spellings: Readonly<Record<string, readonly string[]>> = {
  'dotted decimal': ['127.0.0.1', '127.255.255.254', '169.254.169.254', '0.0.0.0', '224.0.0.1'],
  'one decimal number': ['2130706433', '2852039166', '0'],
  'one hexadecimal number': ['0x7f000001', '0xA9FEA9FE', '0X7F000001'],
  'one octal number': ['017700000001', '025177524776'],
  'octal and hexadecimal parts': ['0177.0.0.01', '0x7f.0.0.0x1', '0xa9.0376.169.0xfe'],
  'fewer parts': ['127.1', '127.0.1', '0x7f.1', '169.254.43518'],
  'a dot at the end': ['127.0.0.1.', '0x7f.1.'],
  'full-width digits': ['１２７.0.0.1', '①②⑦.0.0.1'],
  'percent-encoding': ['%31%32%37.0.0.1', '127%2E0.0.1'],
  IPv6: ['[::1]', '[0:0:0:0:0:0:0:1]', '[::]', '[fe80::1]', '[febf::1]', '[ff02::1]'],
  'IPv4-mapped IPv6': ['[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::FFFF:a9fe:a9fe]'],
  'IPv4-compatible IPv6': ['[::127.0.0.1]', '[::7f00:1]'],
  'IPv4-translated IPv6': ['[::ffff:0:127.0.0.1]'],
  NAT64: ['[64:ff9b::127.0.0.1]', '[64:ff9b::a9fe:a9fe]'],
  'NAT64 of its own prefix': ['[64:ff9b:1::169.254.169.254]', '[64:ff9b:1:7f00:0:100::]'],
  '6to4': ['[2002:7f00:1::]', '[2002:a9fe:a9fe::1]'],
  Teredo: ['[2001:0:1:2:3:4:80ff:fffe]', '[2001::5601:5601]'],
  ISATAP: ['[2001:db8::5efe:127.0.0.1]', '[fd00::200:5efe:169.254.169.254]'],
  'the name': ['localhost', 'LOCALHOST', 'localhost.', 'a.localhost', 'ｌocalhost'],
  "a cloud's metadata service": [
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    '[fd00:ec2::254]',
    '[fd20:ce::254]',
    '[::ffff:100.100.100.200]',
  ],
  'an address with a zone': ['[fe80::1%25eth0]', '[fe80::1%eth0]', '[::1%25lo]'],
};

describe('attack 29: an artifact at an address that leads inside (edge case 15: every spelling is judged as its address, part A 3.2)', () => {
  const { signal } = new AbortController();
  const fetching = new ArtifactFetching();

  for (const [spelling, hosts] of Object.entries(spellings)) {
    for (const host of hosts) {
      it(`is not asked for: ${spelling}, ${host}`, async () => {
        let resolved = 0;
        const resolve: Resolve = (_, callback) => {
          resolved += 1;
          callback(null, [{ address: '127.0.0.1', family: 4 }]);
        };
        const fetcher = fetching.fetcher({ resolve });
        for (const scheme of ['http', 'https']) {
          const location = { url: `${scheme}://${host}:6443/a.tar.gz`, digest: digestOf(good) };
          const failure = await failureOf(fetcher.fetch(location, signal));
          expect(failure).to.be.instanceOf(TerminalError).and.to.include({ reason: 'StageFailed' });
          expect(failure.message).to.match(/^artifacts are not fetched from /);
        }
        expect(resolved, 'no name is resolved').to.equal(0);
      });
    }
  }

  for (const url of [
    'file:///etc/passwd',
    'gopher://127.0.0.1:6379/_FLUSHALL',
    'ftp://example.com/a',
    'data:application/gzip;base64,AAAA',
    'unix:/run/containerd/containerd.sock',
    'http://',
    '//example.com/a',
    'http://user:secret@example.com/a',
    'javascript:1',
  ]) {
    it(`is not asked for by another kind of URL: ${url}`, async () => {
      const fetcher = fetching.fetcher({});
      const failure = await failureOf(fetcher.fetch({ url, digest: digestOf(good) }, signal));
      expect(failure).to.be.instanceOf(TerminalError);
      expect(failure.message).not.to.include('secret');
    });
  }

  for (const address of [
    '127.0.0.1',
    '::1',
    'fe80::1%eth0',
    '::ffff:169.254.169.254',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'fd00:ec2::254',
    '0.0.0.0',
    'not an address',
  ]) {
    it(`is not connected to where its name leads there: ${address}`, async () => {
      const fetcher = fetching.fetcher({
        resolve: (_, callback) => callback(null, [{ address, family: 4 }]),
      });
      const location = { url: 'http://artifacts.example.com:1/a', digest: digestOf(good) };
      const failure = await failureOf(fetcher.fetch(location, signal));
      expect(failure).to.be.instanceOf(TerminalError);
      expect(failure.message).to.include(`it resolves to ${address}, which is `);
    });
  }
});

/** An address of this machine that is neither loopback nor link-local, where it has one. */
function addressOfThisMachine(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const usable = all.find(
    ({ internal, family, address }) =>
      !internal && family === 'IPv4' && !address.startsWith('169.254.'),
  );
  return usable?.address;
}

describe('attack 54: a name that is resolved differently the second time (it is resolved once, and pinned, part A 3.2)', () => {
  const { signal } = new AbortController();
  const fetching = new ArtifactFetching();
  const address = addressOfThisMachine();

  it('is refused the second time, when it leads inside by then', async () => {
    const answers = ['192.0.2.1', '127.0.0.1'];
    const fetcher = fetching.fetcher({
      resolve: (_, callback) =>
        callback(null, [{ address: answers.shift() ?? '127.0.0.1', family: 4 }]),
      timeout: milliseconds(150),
    });
    const location = { url: 'http://artifacts.example.com:1/a', digest: digestOf(good) };
    // Nobody is at the first address, which is one for documentation.
    expect(await failureOf(fetcher.fetch(location, signal))).to.be.instanceOf(RetryableError);
    const second = await failureOf(fetcher.fetch(location, signal));
    expect(second).to.be.instanceOf(TerminalError);
    expect(second.message).to.include('it resolves to 127.0.0.1, which is loopback');
  });

  if (address !== undefined) {
    it('is connected to at the address that was checked, and not asked for again', async () => {
      const asked: string[] = [];
      const server = createHttpServer((request, response) => {
        asked.push(request.socket.localAddress ?? '');
        serving(good)(request, response);
      });
      server.listen(0, '0.0.0.0');
      await once(server, 'listening');
      const bound = server.address();
      const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
      let questions = 0;
      try {
        const fetcher = fetching.fetcher({
          resolve: (_, callback) => {
            questions += 1;
            const now = questions === 1 ? address : '127.0.0.1';
            callback(null, [{ address: now, family: 4 }]);
          },
        });
        const url = `http://artifacts.example.com:${port}/a.tar.gz`;
        const files = await fetcher.fetch({ url, digest: digestOf(good) }, signal);
        expect(files.size).to.equal(1);
        expect(questions).to.equal(1);
        expect(asked).to.deep.equal([address]);
      } finally {
        server.closeAllConnections();
        server.close();
      }
    });
  }
});

describe('attack 55: an artifact server that keeps a connection busy (headers, handshakes and redirects are timed, part A 3.2)', () => {
  const { signal } = new AbortController();
  const fetching = new ArtifactFetching();
  const sockets: Socket[] = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  /** A server that is told of each connection. @returns its port */
  async function start(onConnection: (socket: Socket) => void): Promise<number> {
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      onConnection(socket);
    });
    server.unref();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const bound = server.address();
    return typeof bound === 'object' && bound !== null ? bound.port : 0;
  }

  async function failureAt(scheme: string, port: number): Promise<Error> {
    const fetcher = fetching.fetcher({
      allowedHosts: [{ host: '127.0.0.1', port }],
      timeout: milliseconds(300),
    });
    const url = `${scheme}://127.0.0.1:${port}/a`;
    return await failureOf(fetcher.fetch({ url, digest: digestOf(good) }, signal));
  }

  it('by headers that come a byte at a time is given up', async () => {
    const port = await start((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nx-slow: ');
      const timer = setInterval(() => socket.write('x'), 5);
      socket.once('close', () => clearInterval(timer));
    });
    const failure = await failureAt('http', port);
    expect(failure).to.be.instanceOf(RetryableError);
    expect(failure.message).to.match(/it took longer than 0\.3 s$/);
  });

  it('by headers without end is given up', async () => {
    const port = await start((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const timer = setInterval(() => socket.write(`x-more: ${'x'.repeat(8000)}\r\n`), 1);
      socket.once('close', () => clearInterval(timer));
    });
    const failure = await failureAt('http', port);
    expect(failure).to.be.instanceOf(RetryableError);
    expect(failure.message).to.match(/Headers Overflow Error$/);
  });

  it('by a TLS handshake that does not go on is given up', async () => {
    const failure = await failureAt('https', await start(() => undefined));
    expect(failure).to.be.instanceOf(RetryableError);
    expect(failure.message).to.match(/it took longer than 0\.3 s$/);
  });

  it('by a redirect whose body does not end is given up', async () => {
    const port = await start((socket) => {
      socket.write('HTTP/1.1 302 Found\r\nlocation: /b\r\ntransfer-encoding: chunked\r\n\r\n');
      const timer = setInterval(() => socket.write('1\r\nx\r\n'), 2);
      socket.once('close', () => clearInterval(timer));
    });
    const failure = await failureAt('http', port);
    expect(failure).to.be.instanceOf(RetryableError);
  });
});

describe('attack 30: proxies of the environment (edge case 16: they would defeat the pin, part A 3.2)', () => {
  const { signal } = new AbortController();
  const fetching = new ArtifactFetching();

  for (const name of [
    'HTTP_PROXY',
    'http_proxy',
    'HTTPS_PROXY',
    'https_proxy',
    'ALL_PROXY',
    'all_proxy',
    'npm_config_proxy',
    'NODE_USE_ENV_PROXY',
  ]) {
    it(`are not used: ${name}`, async () => {
      const previous = process.env[name];
      const proxy = await fetching.start((_, response) => response.writeHead(500).end());
      process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : proxy.origin;
      try {
        const server = await fetching.start(serving(good));
        const location = { url: `${server.origin}/a.tar.gz`, digest: digestOf(good) };
        expect((await fetching.fetcherFor(server).fetch(location, signal)).size).to.equal(1);
      } finally {
        if (previous === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = previous;
      }
    });
  }
});
