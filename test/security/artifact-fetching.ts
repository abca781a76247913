import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { TerminalError } from '../../src/core/errors.ts';
import { ArtifactFetcher, type FetchOptions } from '../../src/sources/fetch.ts';
import { digestOf } from './archives.ts';
import { type FileServer, serving, startFileServer } from './file-server.ts';

/**
 * Servers and fetchers of one test suite, stopped after each test. No test may leave files behind.
 * To be made inside `describe`.
 */
export class ArtifactFetching {
  readonly #servers: FileServer[] = [];
  readonly #fetchers: ArtifactFetcher[] = [];
  #temporaryDirectory = '';

  constructor() {
    before(async () => {
      this.#temporaryDirectory = await mkdtemp(join(tmpdir(), 'hostile-artifacts-'));
    });
    afterEach(async () => {
      await Promise.all(this.#fetchers.splice(0).map((fetcher) => fetcher.close()));
      await Promise.all(this.#servers.splice(0).map((server) => server.stop()));
      expect(await readdir(this.#temporaryDirectory), 'files left behind').to.deep.equal([]);
    });
    after(() => rm(this.#temporaryDirectory, { recursive: true }));
  }

  async start(listener: Parameters<typeof startFileServer>[0]): Promise<FileServer> {
    const server = await startFileServer(listener);
    this.#servers.push(server);
    return server;
  }

  /** A fetcher that may go to the server, though it is on loopback. */
  fetcherFor(server: FileServer, options: FetchOptions = {}): ArtifactFetcher {
    const allowedHosts = [{ host: '127.0.0.1', port: server.port }];
    return this.fetcher({ allowedHosts, ...options });
  }

  fetcher(options: FetchOptions): ArtifactFetcher {
    const fetcher = new ArtifactFetcher({
      temporaryDirectory: this.#temporaryDirectory,
      ...options,
    });
    this.#fetchers.push(fetcher);
    return fetcher;
  }

  /** Why an artifact of these bytes, with the right digest, is refused. */
  async refusalOf(bytes: Buffer, options: FetchOptions = {}): Promise<string> {
    const server = await this.start(serving(bytes));
    const location = { url: `${server.origin}/a.tar.gz`, digest: digestOf(bytes) };
    const { signal } = new AbortController();
    const failure = await failureOf(this.fetcherFor(server, options).fetch(location, signal));
    expect(failure).to.be.instanceOf(TerminalError).and.to.include({ reason: 'StageFailed' });
    return failure.message;
  }
}

/** What a promise was rejected with. @throws Error when it was not. */
export async function failureOf(work: Promise<unknown>): Promise<Error> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof Error) return outcome;
  throw new Error('This was expected to fail');
}
