import { expect } from 'chai';
import { RetryableError, TerminalError } from '../../src/core/errors.ts';
import { milliseconds } from '../../src/core/time.ts';
import { archive, digestOf } from './archives.ts';
import { ArtifactFetching, failureOf } from './artifact-fetching.ts';
import { type FileServer, serving } from './file-server.ts';

const good = archive([{ name: 'a.yaml', content: 'kind: ConfigMap\n' }]);

describe('a hostile server', () => {
  const { signal } = new AbortController();
  const fetching = new ArtifactFetching();

  describe('attack 49: an artifact server that is slow, cuts short or redirects (edge case 15: time is bounded, and every hop is judged, part A 3.2)', () => {
    const located = (server: FileServer, path = '/a.tar.gz') => ({
      url: `${server.origin}${path}`,
      digest: digestOf(good),
    });

    it('that trickles is given up after the time that one artifact may take', async () => {
      const server = await fetching.start((_, response) => {
        response.writeHead(200);
        const timer = setInterval(() => response.write('x'), 5);
        response.once('close', () => clearInterval(timer));
      });
      const fetcher = fetching.fetcherFor(server, { timeout: milliseconds(100) });
      const failure = await failureOf(fetcher.fetch(located(server), signal));
      expect(failure).to.be.instanceOf(RetryableError);
      expect(failure.message).to.match(/could not be fetched: it took longer than 0\.1 s$/);
    });

    it('that falls silent in the body is given up sooner', async () => {
      const server = await fetching.start((_, response) => response.writeHead(200).write('x'));
      const fetcher = fetching.fetcherFor(server, { silence: milliseconds(50) });
      const failure = await failureOf(fetcher.fetch(located(server), signal));
      expect(failure).to.be.instanceOf(RetryableError);
      expect(failure.message).to.match(/could not be fetched: Body Timeout Error$/);
    });

    it('that never answers is given up', async () => {
      const server = await fetching.start(() => undefined);
      const fetcher = fetching.fetcherFor(server, { silence: milliseconds(50) });
      const failure = await failureOf(fetcher.fetch(located(server), signal));
      expect(failure).to.be.instanceOf(RetryableError);
      expect(failure.message).to.match(/could not be fetched: Headers Timeout Error$/);
    });

    it('is left at once when the caller gives up', async () => {
      const caller = new AbortController();
      const server = await fetching.start(() => caller.abort(new Error('the StageSet is gone')));
      const failure = await failureOf(
        fetching.fetcherFor(server).fetch(located(server), caller.signal),
      );
      expect(failure.message).to.equal('the StageSet is gone');
    });

    it('that cuts the body short makes it worth another try', async () => {
      const server = await fetching.start((_, response) => {
        response.writeHead(200, { 'content-length': good.length });
        response.write(good.subarray(0, 10), () => response.destroy());
      });
      const failure = await failureOf(fetching.fetcherFor(server).fetch(located(server), signal));
      expect(failure).to.be.instanceOf(RetryableError);
    });

    for (const status of [204, 206, 404, 500]) {
      it(`that answers ${status} makes it worth another try`, async () => {
        const server = await fetching.start((_, response) => response.writeHead(status).end());
        const failure = await failureOf(fetching.fetcherFor(server).fetch(located(server), signal));
        expect(failure).to.be.instanceOf(RetryableError);
        expect(failure.message).to.match(
          new RegExp(`could not be fetched: the server answered ${status} instead of 200$`),
        );
      });
    }

    it('that asks for patience is heard', async () => {
      const server = await fetching.start((_, response) =>
        response.writeHead(429, { 'retry-after': '7' }).end(),
      );
      const failure = await failureOf(fetching.fetcherFor(server).fetch(located(server), signal));
      expect(failure).to.be.instanceOf(RetryableError).and.to.include({ retryAfter: 7000 });
    });

    const redirecting = (target: (server: () => FileServer) => string): Promise<FileServer> => {
      let self: FileServer | undefined;
      const own = (): FileServer => self!;
      return fetching
        .start((request, response) => {
          if (request.url === '/final') response.end(good);
          else response.writeHead(302, { location: target(own) }).end();
        })
        .then((server) => (self = server));
    };

    it('may redirect on its own host', async () => {
      const server = await redirecting(() => '/final');
      expect((await fetching.fetcherFor(server).fetch(located(server), signal)).size).to.equal(1);
    });

    it('may not redirect for ever', async () => {
      const server = await redirecting(() => '/again');
      const failure = await failureOf(fetching.fetcherFor(server).fetch(located(server), signal));
      expect(failure.message).to.match(/it redirects more than 5 times$/);
    });

    const elsewhere: [where: string, location: string, because: RegExp][] = [
      ['loopback', 'http://127.0.0.1:6443/api', /its address 127\.0\.0\.1 is loopback/],
      ['loopback by another spelling', 'http://0x7f.1:6443/', /is loopback/],
      ['the metadata service', 'http://169.254.169.254/latest', /is link-local/],
      ['a file', 'file:///etc/passwd', /its scheme is file/],
      ['another host', 'http://example.com/a.tar.gz', /redirects to other hosts are not followed/],
    ];
    for (const [where, target, because] of elsewhere) {
      it(`may not redirect to ${where}`, async () => {
        const server = await redirecting(() => target);
        const failure = await failureOf(fetching.fetcherFor(server).fetch(located(server), signal));
        expect(failure).to.be.instanceOf(TerminalError);
        expect(failure.message).to.match(because);
      });
    }

    it('gets neither credentials nor a proxy of the environment', async () => {
      const previous = process.env.http_proxy;
      process.env.http_proxy = 'http://127.0.0.1:1';
      try {
        let headers: object = {};
        const server = await fetching.start((request, response) => {
          headers = request.headers;
          response.end(good);
        });
        await fetching.fetcherFor(server).fetch(located(server), signal);
        expect(headers).to.have.keys('host', 'connection', 'user-agent', 'accept-encoding');
      } finally {
        if (previous === undefined) delete process.env.http_proxy;
        else process.env.http_proxy = previous;
      }
    });
  });

  describe('attack 50: an artifact server behind a name that leads inside (every resolved address is judged, part A 3.2)', () => {
    const rebinding = (...addresses: string[]) => {
      let questions = 0;
      const fetcher = fetching.fetcher({
        resolve: (_, callback) => {
          questions += 1;
          callback(
            null,
            addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
          );
        },
      });
      return { fetcher, questions: () => questions };
    };
    const artifact = { url: 'http://artifacts.example.com:1/a', digest: digestOf(good) };

    for (const [what, ...addresses] of [
      ['loopback', '127.0.0.1'],
      ['loopback behind a good address', '203.0.113.7', '127.0.0.1'],
      ['IPv6 loopback', '::1'],
      ['mapped loopback', '::ffff:127.0.0.1'],
      ['the metadata service', '169.254.169.254'],
    ] as const) {
      it(`that resolves to ${what} is refused when the connection is made`, async () => {
        const { fetcher, questions } = rebinding(...addresses);
        const failure = await failureOf(fetcher.fetch(artifact, signal));
        expect(failure).to.be.instanceOf(TerminalError);
        expect(failure.message).to.match(
          /^artifacts are not fetched from artifacts\.example\.com: it resolves to .+, which is (loopback|link-local)\./,
        );
        expect(questions(), 'the name is resolved once').to.equal(1);
      });
    }

    it('is connected to at the address that was checked', async () => {
      const server = await fetching.start(serving(good));
      const fetcher = fetching.fetcher({
        // An address that the guard allows, where nobody listens.
        resolve: (_, callback) => callback(null, [{ address: '192.0.2.1', family: 4 }]),
        timeout: milliseconds(200),
      });
      const url = `http://artifacts.example.com:${server.port}/a`;
      const failure = await failureOf(fetcher.fetch({ url, digest: digestOf(good) }, signal));
      expect(failure).to.be.instanceOf(RetryableError);
    });
  });
});
