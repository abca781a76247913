import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PackedArtifact } from './pack.ts';

/** Serves artifacts over HTTP on a free loopback port, as source-controller does in a cluster. */
export class ArtifactServer {
  readonly #artifacts = new Map<string, PackedArtifact>();
  readonly #server: Server;
  /** `host:port`, as `--allowed-artifact-hosts` takes it. */
  readonly host: string;
  /** Namespaces whose downloads begin and never go on. */
  readonly #stalled = new Set<string>();
  /** How many downloads were served. */
  downloads = 0;

  private constructor(server: Server) {
    this.#server = server;
    this.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => {
      const artifact = this.#artifacts.get(request.url ?? '');
      if (artifact === undefined) {
        response.writeHead(404).end();
        return;
      }
      this.downloads += 1;
      response.writeHead(200, {
        'content-type': 'application/gzip',
        'content-length': artifact.bytes.length,
      });
      const namespace = request.url?.split('/')[2] ?? '';
      if (this.#stalled.has(namespace)) response.flushHeaders();
      else response.end(artifact.bytes);
    });
  }

  static async start(): Promise<ArtifactServer> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return new ArtifactServer(server);
  }

  /** Serves an artifact from now on; returns its URL. */
  serve(path: string, artifact: PackedArtifact): string {
    this.#artifacts.set(path, artifact);
    return `http://${this.host}${path}`;
  }

  /** Lets downloads of one namespace's artifacts hang after their headers. */
  stall(namespace: string): void {
    this.#stalled.add(namespace);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}
