import { createSecureContext } from 'node:tls';
import { clusterFailed } from '../core/clusters/cluster-error.ts';
import type { ApiConnection } from './api-connection.ts';
import { ClusterCircuit } from './cluster-circuit.ts';
import { InFlightLimit } from './in-flight-limit.ts';
import type { Credentials } from './kubeconfig.ts';
import { type ConnectorFor, PooledSession, Pools, type Session } from './pools.ts';

/** The way to a remote cluster, as a tenant has described it and as it was checked. */
export interface RemoteServer {
  readonly server: URL;
  /** PEM; undefined trusts the usual authorities. */
  readonly ca?: string;
  readonly serverName?: string;
  /** PEM pair. */
  readonly certificate?: string;
  readonly privateKey?: string;
  readonly token?: string;
  readonly basic?: { readonly username: string; readonly password: string };
}

export interface RemoteConnectionOptions {
  /** How errors name the cluster. */
  readonly cluster: string;
  /** Opens sockets to addresses that were checked only. */
  readonly connector: ConnectorFor;
}

/** Requests to one remote cluster at a time: less than to our own, of which there is only one. */
const mostInFlight = 8;

/**
 * Keep-alive pools to a remote cluster, with credentials that never change: other credentials are
 * another connection. TLS is always verified, no file is read, no program run and no proxy used.
 */
export class RemoteConnection implements ApiConnection {
  readonly limit = new InFlightLimit(mostInFlight);
  readonly namespace = undefined;
  readonly circuit: ClusterCircuit;
  readonly secrets: ReadonlySet<string>;
  readonly #cluster: string;
  readonly #pools: Pools;
  readonly #session: PooledSession;
  #closed = false;

  /** @throws RetryableError when the certificates are no PEM or do not go with the key. */
  constructor(server: RemoteServer, { cluster, connector }: RemoteConnectionOptions) {
    const credentials = credentialsOf(server);
    refuseBadTls(credentials.tls);
    this.#cluster = cluster;
    this.circuit = new ClusterCircuit({ cluster });
    this.secrets = secretsOf(server, credentials);
    this.#pools = new Pools(credentials, connector);
    this.#session = new PooledSession(credentials, this.#pools);
  }

  get origin(): string {
    return this.#session.origin;
  }

  /** Where the API is: behind one address a gateway may serve many clusters by their paths. */
  get server(): string {
    return this.#session.origin + this.#session.basePath;
  }

  session(): Session {
    if (this.#closed) {
      throw clusterFailed(`cluster of ${this.#cluster}: another connection has taken over`);
    }
    return this.#session;
  }

  reload(): Promise<Session> {
    return Promise.resolve(this.session());
  }

  /** Lets requests in flight finish, ends watches, and closes the pools. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#pools.close();
  }
}

function credentialsOf({ server, ca, serverName, ...user }: RemoteServer): Credentials {
  const tls: Credentials['tls'] = { rejectUnauthorized: true };
  if (ca !== undefined) tls.ca = ca;
  if (serverName !== undefined) tls.servername = serverName;
  if (user.certificate !== undefined) tls.cert = user.certificate;
  if (user.privateKey !== undefined) tls.key = user.privateKey;
  return {
    origin: server.origin,
    basePath: server.pathname.replace(/\/+$/, ''),
    namespace: undefined,
    proxyUrl: undefined,
    headers: authorizationOf(user),
    tls,
  };
}

function authorizationOf({
  token,
  basic,
}: Pick<RemoteServer, 'token' | 'basic'>): Record<string, string> {
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  if (basic === undefined) return {};
  const pair = Buffer.from(`${basic.username}:${basic.password}`).toString('base64');
  return { authorization: `Basic ${pair}` };
}

/** OpenSSL's words are left out: they help nobody, and nobody knows what they quote. */
function refuseBadTls(tls: Credentials['tls']): void {
  const { ca, cert, key } = tls;
  try {
    if (ca !== undefined) createSecureContext({ ca });
  } catch {
    throw clusterFailed('the certificate authority of the cluster is no PEM certificate');
  }
  // Node takes a text without any certificate for an empty list, and would trust nobody.
  if (ca !== undefined && !ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw clusterFailed('the certificate authority of the cluster is no PEM certificate');
  }
  try {
    if (cert !== undefined && key !== undefined) createSecureContext({ cert, key });
  } catch {
    throw clusterFailed(
      'the client certificate and key for the cluster are no PEM, or do not belong together',
    );
  }
}

function secretsOf(
  { token, basic, privateKey }: RemoteServer,
  { headers }: Credentials,
): Set<string> {
  const known = [token, basic?.password, privateKey, headers['authorization']?.split(' ')[1]];
  return new Set(known.flatMap((value) => value ?? []));
}
