import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { git } from './git.ts';

/** Far more than the header of any CGI answer. */
const maxHeader = 64 * 1024;

/**
 * Git's smart HTTP protocol on a free loopback port, for clones and pushes without a login: each
 * request is one `git http-backend`, which speaks CGI (RFC 3875).
 */
export class GitServer {
  readonly #server: Server;
  readonly #directory: string;
  readonly url: string;

  private constructor(server: Server, directory: string) {
    this.#server = server;
    this.#directory = directory;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => this.#handle(request, response));
  }

  /** @throws Error when git is missing */
  static async start(): Promise<GitServer> {
    const directory = await mkdtemp(join(tmpdir(), 'stageset-git-'));
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return new GitServer(server, directory);
  }

  /** Creates an empty repository with the branch `main` to come. Returns its URL. */
  async create(name: string): Promise<string> {
    const repository = join(this.#directory, `${name}.git`);
    await git(this.#directory, ['init', '--quiet', '--bare', '--initial-branch=main', repository]);
    await git(repository, ['config', 'http.receivepack', 'true']);
    return `${this.url}/${name}.git`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    await rm(this.#directory, { recursive: true, force: true });
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.url);
    const { headers, method = 'GET' } = request;
    const backend = spawn('git', ['http-backend'], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: {
        PATH: process.env.PATH,
        GIT_PROJECT_ROOT: this.#directory,
        GIT_HTTP_EXPORT_ALL: '1',
        GIT_PROTOCOL: headerOf(request, 'git-protocol'),
        REQUEST_METHOD: method,
        PATH_INFO: decodeURIComponent(url.pathname),
        QUERY_STRING: url.search.slice(1),
        CONTENT_TYPE: headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
        ...(headers['content-length'] === undefined
          ? {}
          : { CONTENT_LENGTH: headers['content-length'] }),
      },
    });
    backend.once('error', () => response.destroy());
    response.once('close', () => backend.kill());
    // A backend that has seen enough closes its input.
    backend.stdin.on('error', () => undefined);
    request.pipe(backend.stdin);
    answer(backend.stdout, response);
  }
}

/** Turns a CGI answer, a header and a body, into one of HTTP. */
function answer(output: NodeJS.ReadableStream, response: ServerResponse): void {
  let begin = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    begin = Buffer.concat([begin, chunk]);
    const end = begin.indexOf('\r\n\r\n');
    if (end < 0) {
      if (begin.length > maxHeader) response.destroy();
      return;
    }
    output.off('data', onData);
    output.off('end', onEarlyEnd);
    const fields = begin.subarray(0, end).toString('latin1').split('\r\n').map(fieldOf);
    const status = fields.find(([name]) => name.toLowerCase() === 'status')?.[1];
    response.statusCode = status === undefined ? 200 : Number.parseInt(status, 10);
    for (const [name, value] of fields) {
      if (name.toLowerCase() !== 'status') response.setHeader(name, value);
    }
    response.write(begin.subarray(end + 4));
    output.pipe(response);
  };
  const onEarlyEnd = (): void => {
    response.destroy();
  };
  output.on('data', onData);
  output.on('end', onEarlyEnd);
}

function fieldOf(line: string): readonly [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

function headerOf(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}
