import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { createAuthority } from '../../src/certs/authority.ts';
import { issueCertificate } from '../../src/certs/issue.ts';
import { instant, minutes } from '../../src/core/time.ts';
import { canary } from '../canary.ts';
import { kubeconfigOf } from '../kubeconfigs.ts';

/** Answers a request by itself where it returns true; otherwise the usual answer is given. */
export type Trick = (request: IncomingMessage, response: ServerResponse) => boolean;

const resources = [['configmaps', 'ConfigMap'] as const].map(([resource, kind]) => ({
  resource,
  responseKind: { group: '', version: '', kind },
  scope: 'Namespaced',
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
}));

const discovery: Readonly<Record<string, object>> = {
  '/api': {
    kind: 'APIGroupDiscoveryList',
    items: [{ metadata: {}, versions: [{ version: 'v1', resources }] }],
  },
  '/apis': { kind: 'APIGroupDiscoveryList', items: [] },
};

/**
 * What a tenant may put behind a kubeconfig: a server that speaks as much of the Kubernetes API as a
 * release of ConfigMaps needs, and plays tricks.
 */
export class HostileCluster {
  readonly #server: Server;
  readonly #authority: string;
  /** Method and path with query of every request so far. */
  readonly requests: string[] = [];
  trick: Trick = () => false;

  private constructor(server: Server, authority: string) {
    this.#server = server;
    this.#authority = authority;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.requests.push(`${request.method} ${request.url}`);
      response.on('error', () => undefined);
      if (!this.trick(request, response)) usual(request, response);
    });
  }

  static async start(): Promise<HostileCluster> {
    const [now, validFor] = [instant(Date.now()), minutes(600)];
    const authority = await createAuthority({ commonName: 'hostile', validFor, now });
    const names = { commonName: 'hostile', dnsNames: ['hostile.example.com'] };
    const request = {
      ...names,
      ipAddresses: ['127.0.0.1'],
      usage: 'server',
      validFor,
      now,
    } as const;
    const { certificate, privateKey } = await issueCertificate(authority, request);
    const server = createServer({ cert: certificate, key: privateKey });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new HostileCluster(server, authority.certificate);
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get authority(): string {
    return this.#authority;
  }

  /** A kubeconfig with the canary for a token. */
  kubeconfig(): string {
    const data = Buffer.from(this.#authority).toString('base64');
    return kubeconfigOf({
      cluster: { server: `https://127.0.0.1:${this.port}`, 'certificate-authority-data': data },
      user: { token: canary },
    });
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}

export function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** Writes pieces as fast as they are read, until the reader is gone. */
export function pour(response: ServerResponse, piece: () => string | Buffer): void {
  const go = (): void => {
    while (!response.destroyed && response.write(piece()));
    if (!response.destroyed) response.once('drain', go);
  };
  go();
}

/** Whether it asks for ConfigMaps, and for all of them at once or for what changes. */
export function asksFor({ method, url = '' }: IncomingMessage): 'List' | 'Watch' | 'Other' {
  const [path = '', query = ''] = url.split('?');
  if (method !== 'GET' || !path.endsWith('/configmaps')) return 'Other';
  return query.includes('watch=true') ? 'Watch' : 'List';
}

function usual(request: IncomingMessage, response: ServerResponse): void {
  const [path = ''] = (request.url ?? '').split('?');
  const found = discovery[path];
  if (found !== undefined) {
    answer(response, 200, found);
    return;
  }
  switch (asksFor(request)) {
    case 'List':
      answer(response, 200, { kind: 'List', metadata: { resourceVersion: '1' }, items: [] });
      return;
    case 'Watch':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      return;
    case 'Other':
      if (request.method === 'PATCH') echo(request, response);
      else
        answer(response, 404, { kind: 'Status', code: 404, reason: 'NotFound', message: 'none' });
  }
}

/** Takes an object as it comes. */
function echo(request: IncomingMessage, response: ServerResponse): void {
  let text = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => {
    text += chunk;
  });
  request.on('end', () => {
    const object = JSON.parse(text) as { metadata: object };
    const metadata = { ...object.metadata, uid: 'u', resourceVersion: '1' };
    answer(response, 200, { ...object, metadata });
  });
}
