import { EventEmitter, once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type FileServer, startFileServer } from './security/file-server.ts';

/** A request as it arrived. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A real HTTP server that counts what http actions do to it. */
export class WebhookReceiver {
  readonly received: Received[] = [];
  /** Status of the answers to a path; 200 unless set. */
  readonly statuses = new Map<string, number>();
  /** Where the answers to a path redirect to, with status 307. */
  readonly redirects = new Map<string, string>();
  /** Paths whose requests get no answer. */
  readonly held = new Set<string>();
  /** Paths whose requests are answered with a reset. */
  readonly broken = new Set<string>();
  readonly #server: FileServer;
  readonly #arrivals = new EventEmitter();

  private constructor(server: FileServer) {
    this.#server = server;
  }

  static async start(): Promise<WebhookReceiver> {
    const box: { receiver?: WebhookReceiver } = {};
    const server = await startFileServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url: path = '', headers } = request;
        const body = Buffer.concat(chunks).toString();
        const { receiver } = box;
        if (receiver === undefined) return;
        const held = receiver.held.has(path);
        receiver.received.push({ method, path, headers, body });
        receiver.#arrivals.emit('arrival');
        if (held) return;
        if (receiver.broken.has(path)) {
          request.socket.resetAndDestroy();
          return;
        }
        const location = receiver.redirects.get(path);
        const status = location === undefined ? (receiver.statuses.get(path) ?? 200) : 307;
        const answered = location === undefined ? {} : { location };
        response.writeHead(status, answered).end('an answer nobody may see');
      });
    });
    box.receiver = new WebhookReceiver(server);
    return box.receiver;
  }

  /** `127.0.0.1:<port>`, for the exemption from the address guard. */
  get host(): string {
    return `127.0.0.1:${this.#server.port}`;
  }

  url(path: string): string {
    return `${this.#server.origin}${path}`;
  }

  /** Resolves when a path was called so often, in half a minute at most. */
  async untilCalled(path: string, times = 1): Promise<void> {
    const signal = AbortSignal.timeout(30_000);
    while ((this.counts(path)[path] ?? 0) < times)
      await once(this.#arrivals, 'arrival', { signal });
  }

  /** Paths in the order of their arrival. */
  paths(prefix = '/'): string[] {
    return this.received.map(({ path }) => path).filter((path) => path.startsWith(prefix));
  }

  /** How often each path was called. */
  counts(prefix = '/'): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const path of this.paths(prefix)) counts[path] = (counts[path] ?? 0) + 1;
    return counts;
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }
}
