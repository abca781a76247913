import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { createAuthority } from '../../src/certs/authority.ts';
import { issueCertificate } from '../../src/certs/issue.ts';
import type { CloudEndpoints } from '../../src/cloud/identity.ts';
import { instant, minutes } from '../../src/core/time.ts';
import { TestAws } from './aws.ts';
import { TestAzure } from './azure.ts';
import { TestGcp } from './gcp.ts';
import type { TrustedIssuer } from './service-account-tokens.ts';

/** A request to one of the clouds. */
export interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface CloudAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function jsonAnswer(status: number, body: unknown): CloudAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** What a test has the clouds do in place of an answer; `undefined` answers as ever. */
export type Trouble = (
  asked: Asked,
  response: ServerResponse,
) => CloudAnswer | 'Handled' | undefined;

/**
 * Three clouds behind one address of this machine, over TLS. They speak the protocols of the real ones
 * and refuse whatever those would refuse: tokens are verified, signatures computed anew.
 */
export class TestClouds {
  readonly aws: TestAws;
  readonly gcp: TestGcp;
  readonly azure: TestAzure;
  readonly origin: URL;
  /** PEM of the authority of their certificate. */
  readonly ca: string;
  /** `METHOD /path` of each request, in order. */
  readonly received: string[] = [];
  trouble: Trouble = () => undefined;
  /** Answers reviews of tokens, for an API server that trusts the clouds. */
  webhook: (body: string) => CloudAnswer = () => jsonAnswer(404, {});
  readonly #server: Server;

  private constructor(server: Server, ca: string, issuer: TrustedIssuer) {
    this.#server = server;
    this.ca = ca;
    this.aws = new TestAws(issuer);
    this.gcp = new TestGcp(issuer);
    this.azure = new TestAzure(issuer);
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('The server has no port');
    this.origin = new URL(`https://localhost:${address.port}`);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  static async start(issuer: TrustedIssuer): Promise<TestClouds> {
    const now = instant(Date.now());
    const validFor = minutes(24 * 60);
    const authority = await createAuthority({ commonName: 'clouds', validFor, now });
    const { certificate, privateKey } = await issueCertificate(authority, {
      commonName: 'localhost',
      dnsNames: ['localhost'],
      ipAddresses: ['127.0.0.1'],
      usage: 'server',
      validFor,
      now,
    });
    const server = createServer({ cert: certificate, key: privateKey });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TestClouds(server, authority.certificate, issuer);
  }

  /** New ones each time, so that no test meets the logins of another. */
  endpoints(): CloudEndpoints {
    const here = this.origin;
    return {
      awsSts: here,
      awsEks: here,
      gcpSts: here,
      gcpIam: here,
      gcpContainer: here,
      azureAuthority: here,
      azureManagement: here,
      ca: this.ca,
    };
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    request.setEncoding('utf8');
    for await (const chunk of request) body += String(chunk);
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join(', ')]),
    );
    const url = new URL(request.url ?? '/', this.origin);
    if (url.pathname === '/tokens') {
      const { status, headers: said, body: text } = this.webhook(body);
      response.writeHead(status, said).end(text);
      return;
    }
    const asked = { method: request.method ?? '', url, headers, body };
    this.received.push(`${asked.method} ${url.pathname}`);
    const trouble = this.trouble(asked, response);
    if (trouble === 'Handled') return;
    const answer =
      trouble ??
      this.aws.answer(asked) ??
      this.gcp.answer(asked) ??
      this.azure.answer(asked) ??
      jsonAnswer(404, { message: `no cloud answers ${url.pathname}` });
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }
}
