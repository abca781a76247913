import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { KubernetesClient } from '../../../src/kubernetes/client.ts';
import { Connection, type ConnectionOptions } from '../../../src/kubernetes/connection.ts';
import type { TransportOptions } from '../../../src/kubernetes/transport.ts';

interface Received {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

export type Handler = (request: Received, response: ServerResponse) => void | Promise<void>;

export interface LocalServer {
  client: KubernetesClient;
  connection: Connection;
  /** Requests other than discovery. */
  received: Received[];
  stop: () => Promise<void>;
}

const VERBS = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

function resource(plural: string, kind: string): object {
  const responseKind = { group: '', version: '', kind };
  return { resource: plural, responseKind, scope: 'Namespaced', verbs: VERBS, subresources: [] };
}

const DISCOVERY: Record<string, object> = {
  '/api': {
    kind: 'APIGroupDiscoveryList',
    items: [
      {
        metadata: {},
        versions: [
          {
            version: 'v1',
            resources: [
              resource('configmaps', 'ConfigMap'),
              resource('secrets', 'Secret'),
              resource('serviceaccounts', 'ServiceAccount'),
            ],
          },
        ],
      },
    ],
  },
  '/apis': {
    kind: 'APIGroupDiscoveryList',
    items: [
      {
        metadata: { name: 'apps' },
        versions: [{ version: 'v1', resources: [resource('deployments', 'Deployment')] }],
      },
    ],
  },
};

/** A plain HTTP server that answers as told, for what the protocol does; and a client of it. */
export async function startLocalServer(
  handler: Handler,
  options: { connection?: ConnectionOptions; transport?: TransportOptions } = {},
): Promise<LocalServer> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const discovered = DISCOVERY[url];
      if (discovered !== undefined) {
        answer(response, 200, discovered);
        return;
      }
      const seen = { method, url, headers, body };
      received.push(seen);
      Promise.resolve(handler(seen, response)).catch(() => response.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const cluster = { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true };
  const connection = await Connection.open(
    {
      kind: 'Text',
      text: JSON.stringify({
        clusters: [{ name: 'local', cluster }],
        users: [{ name: 'me', user: { token: 'own-token' } }],
        contexts: [{ name: 'local', context: { cluster: 'local', user: 'me' } }],
        'current-context': 'local',
      }),
    },
    options.connection,
  );
  return {
    client: KubernetesClient.connect(connection, options.transport),
    connection,
    received,
    stop: async () => {
      await connection.destroy();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

export function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
