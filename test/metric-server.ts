import { type FileServer, startFileServer } from './security/file-server.ts';

/** A real HTTP server that answers like Prometheus, and remembers when it was asked for what. */
export class MetricServer {
  /** The value of each query; one without is answered with an empty vector. */
  readonly values = new Map<string, number>();
  /** Queries that are answered with 500. */
  readonly broken = new Set<string>();
  readonly #asked: { readonly query: string; readonly at: number }[] = [];
  readonly #tokens = new Set<string>();
  readonly #server: FileServer;

  private constructor(server: FileServer) {
    this.#server = server;
  }

  static async start(): Promise<MetricServer> {
    const box: { metrics?: MetricServer } = {};
    const server = await startFileServer((request, response) => {
      const { metrics } = box;
      const url = new URL(request.url ?? '', 'http://prometheus');
      const query = url.searchParams.get('query') ?? '';
      if (metrics === undefined || url.pathname !== '/api/v1/query') {
        response.writeHead(404).end();
        return;
      }
      metrics.#asked.push({ query, at: Date.now() });
      const { authorization } = request.headers;
      if (authorization !== undefined) metrics.#tokens.add(authorization.replace('Bearer ', ''));
      if (metrics.broken.has(query)) {
        response.writeHead(500).end('out of memory');
        return;
      }
      const value = metrics.values.get(query);
      const result = value === undefined ? [] : [{ metric: {}, value: [0, String(value)] }];
      const body = { status: 'success', data: { resultType: 'vector', result } };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
    box.metrics = new MetricServer(server);
    return box.metrics;
  }

  /** A metric source of this server, as a spec has it. */
  source(query: string): { prometheus: Record<string, string> } {
    return { prometheus: { address: this.#server.origin, query } };
  }

  /** The bearer tokens that were shown. */
  tokens(): string[] {
    return [...this.#tokens];
  }

  /** Times at which a query was asked, in milliseconds. */
  askedAt(query: string): number[] {
    return this.#asked.filter((each) => each.query === query).map(({ at }) => at);
  }

  /** The shortest time between two requests for a query, but for the first ones; infinite for less. */
  shortestPause(query: string, first = 0): number {
    const times = this.askedAt(query).slice(first);
    const pauses = times.slice(1).map((time, index) => time - (times[index] ?? time));
    return Math.min(Number.POSITIVE_INFINITY, ...pauses);
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }
}
