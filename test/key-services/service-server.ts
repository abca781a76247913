import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came, its body read. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a test has a server do instead of its work. */
export type Trouble = (asked: Asked) => Reply | 'Silence' | 'Endless' | undefined;

/** A local server that speaks the protocol of a key service, and remembers who asked. */
export class ServiceServer {
  readonly asked: Asked[] = [];
  /** Answers of a sick server; undefined lets it work. */
  trouble: Trouble | undefined;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(work: (asked: Asked) => Reply): Promise<ServiceServer> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { pathname, searchParams } = new URL(request.url ?? '/', 'http://local');
        const asked = {
          method: request.method ?? '',
          path: pathname,
          query: searchParams,
          headers: request.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        };
        started.asked.push(asked);
        const reply = started.trouble?.(asked) ?? work(asked);
        if (reply === 'Silence') return;
        if (reply === 'Endless') {
          response.writeHead(200, { 'content-type': 'application/json' });
          const more = (): void => {
            while (response.write('x'.repeat(65_536)));
          };
          response.on('drain', more);
          response.on('error', () => undefined);
          more();
          return;
        }
        response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
        response.end(reply.body);
      });
    });
    const started = new ServiceServer(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return started;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Forgets who asked, and is well again. */
  reset(): void {
    this.asked.length = 0;
    this.trouble = undefined;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

export function json(status: number, value: unknown, headers: Record<string, string> = {}): Reply {
  return { status, headers, body: JSON.stringify(value) };
}
