import { type buildConnector, type Dispatcher, Pool, ProxyAgent } from 'undici';
import { TerminalError } from '../core/errors.ts';
import type { Credentials } from './kubeconfig.ts';

/**
 * What a dispatcher is for. Watches have connections of their own, so that a hundred of them do not
 * occupy the pool. The tenant ones have the same trust but no client certificate: on them a token
 * is the only identity (part A 9.2).
 */
export type Purpose = 'Requests' | 'Watches' | 'TenantRequests' | 'TenantWatches';

/** One way to talk to the server with the credentials of one moment. */
export interface Session {
  readonly origin: string;
  readonly basePath: string;
  readonly namespace: string | undefined;
  /** Authentication headers of our own identity. Tenant requests do not send them. */
  readonly headers: Readonly<Record<string, string>>;
  dispatcher(purpose: Purpose): Dispatcher;
}

/** Makes what opens sockets with these TLS and timeout options. */
export type ConnectorFor = (
  options: buildConnector.BuildOptions,
) => buildConnector.BuildOptions | buildConnector.connector;

export class PooledSession implements Session {
  readonly origin: string;
  readonly basePath: string;
  readonly namespace: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly pools: Pools;

  constructor(credentials: Credentials, pools: Pools) {
    this.origin = credentials.origin;
    this.basePath = credentials.basePath;
    this.namespace = credentials.namespace;
    this.headers = credentials.headers;
    this.pools = pools;
  }

  dispatcher(purpose: Purpose): Dispatcher {
    return this.pools.of(purpose);
  }
}

/** The dispatchers of one set of TLS material, made when first used. */
export class Pools {
  readonly #credentials: Credentials;
  readonly #connector: ConnectorFor;
  readonly #made = new Map<Purpose, Dispatcher>();

  /** @param connector how sockets are opened; straight to the server unless given. */
  constructor(credentials: Credentials, connector: ConnectorFor = (options) => options) {
    this.#credentials = credentials;
    this.#connector = connector;
  }

  of(purpose: Purpose): Dispatcher {
    const known = this.#made.get(purpose);
    if (known !== undefined) return known;
    const made = this.#make(purpose);
    this.#made.set(purpose, made);
    return made;
  }

  fits(credentials: Credentials): boolean {
    return tlsIdentity(credentials) === tlsIdentity(this.#credentials);
  }

  /** New requests go elsewhere; what is in flight here ends in its own time, without being waited for. */
  retire(): void {
    for (const dispatcher of this.#made.values()) dispatcher.close(() => undefined);
  }

  async close(): Promise<void> {
    // A watch ends when its reader stops: waiting for it could take minutes.
    await Promise.all(
      [...this.#made].map(([purpose, dispatcher]) =>
        purpose === 'Watches' || purpose === 'TenantWatches'
          ? dispatcher.destroy()
          : dispatcher.close(),
      ),
    );
  }

  async destroy(): Promise<void> {
    await Promise.all([...this.#made.values()].map((dispatcher) => dispatcher.destroy()));
  }

  #make(purpose: Purpose): Dispatcher {
    const { tls, origin, proxyUrl } = this.#credentials;
    const tenant = purpose === 'TenantRequests' || purpose === 'TenantWatches';
    const trust: Credentials['tls'] = { rejectUnauthorized: true };
    if (tls.ca !== undefined) trust.ca = tls.ca;
    if (tls.servername !== undefined) trust.servername = tls.servername;
    const connectTls = tenant ? trust : tls;
    const options: Pool.Options = {
      pipelining: 1,
      // kube-apiserver drops an idle connection after 90 s; we let go of it first.
      keepAliveTimeout: 60_000,
      keepAliveMaxTimeout: 60_000,
      // Each request has a deadline of its own, and each watch an inactivity timer.
      headersTimeout: 0,
      bodyTimeout: 0,
      // No bound on connections: there are as many as the in-flight limits let requests out.
    };
    const socket = { timeout: 10_000, keepAlive: true, keepAliveInitialDelay: 30_000 };
    if (proxyUrl === undefined) {
      return new Pool(origin, {
        ...options,
        connect: this.#connector({ ...connectTls, ...socket }),
      });
    }
    if (!/^https?:/.test(proxyUrl)) {
      throw new TerminalError(
        `The kubeconfig's proxy-url has the scheme "${proxyUrl.split(':')[0] ?? ''}": only http and https proxies are supported`,
      );
    }
    return new ProxyAgent({ ...options, uri: proxyUrl, requestTls: { ...connectTls, ...socket } });
  }
}

function tlsIdentity(credentials: Credentials): string {
  const { ca, cert, key, servername, rejectUnauthorized } = credentials.tls;
  const material = [ca, cert, key].map((part) => part?.toString() ?? '');
  return JSON.stringify([
    credentials.origin,
    credentials.proxyUrl ?? '',
    servername ?? '',
    rejectUnauthorized ?? true,
    ...material,
  ]);
}
