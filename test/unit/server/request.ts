import { type RequestListener, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { type RunningServer, startHttpServer } from '../../../src/server/http-server.ts';
import type { ServerPurpose } from '../../../src/server/listening.ts';

export interface Answer {
  status: number | undefined;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

const metricsPurpose: ServerPurpose = { name: 'metrics', flag: '--metrics-bind-address' };

/** A server on a free port of 127.0.0.1, or on the one given. */
export async function serveOnLoopback(listener: RequestListener, port = 0): Promise<RunningServer> {
  return startHttpServer(metricsPurpose, { host: '127.0.0.1', port }, listener, (error) => {
    throw error;
  });
}

/** One request on a connection of its own, sent exactly as written. */
export async function ask(
  server: RunningServer,
  path: string,
  method = 'GET',
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const { port } = server.address;
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method, headers, agent: false };
    const sent = request(options, (response) => {
      text(response).then(
        (body) => resolve({ status: response.statusCode, headers: response.headers, body }),
        reject,
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}
