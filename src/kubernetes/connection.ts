import { stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { type Dispatcher, Pool, ProxyAgent } from 'undici';
import { TerminalError } from '../core/errors.ts';
import { type Duration, seconds } from '../core/time.ts';
import { InFlightLimit } from './in-flight-limit.ts';
import {
  type Credentials,
  credentialsOf,
  type KubeConfigSource,
  type LoadedKubeConfig,
  loadKubeConfig,
} from './kubeconfig.ts';

/**
 * What a dispatcher is for. Watches have connections of their own, so that a hundred of them do not
 * occupy the pool. The tenant ones have the same trust but no client certificate: on them a token
 * is the only identity (part A 9.2).
 */
export type Purpose = 'Requests' | 'Watches' | 'TenantRequests' | 'TenantWatches';

export interface ConnectionOptions {
  /** Requests in flight to this server of those without a limit of their own. Default 16. */
  maxInFlight?: number;
  /** How often files and exec credentials are looked at for a change. Default 10 s. */
  recheckInterval?: Duration;
}

/** One way to talk to the server with the credentials of one moment. */
export interface Session {
  readonly origin: string;
  readonly basePath: string;
  readonly namespace: string | undefined;
  /** Authentication headers of our own identity. Tenant requests do not send them. */
  readonly headers: Readonly<Record<string, string>>;
  dispatcher(purpose: Purpose): Dispatcher;
}

/**
 * Keep-alive pools to one API server, with the authentication of a kubeconfig. Rotated files and
 * expired exec credentials are noticed at most `recheckInterval` later, or at once when the server
 * says 401; new TLS material makes new pools, and requests on the old ones finish there.
 */
export class Connection {
  readonly limit: InFlightLimit;
  readonly #source: KubeConfigSource;
  readonly #options: Required<ConnectionOptions>;
  #loaded: LoadedKubeConfig;
  #fingerprint: string;
  #session: PooledSession;
  #nextCheck: number;
  #nextReload = 0;
  #reloading: Promise<Session> | undefined;
  #checking: Promise<Session> | undefined;
  #lastError: unknown;
  #closed = false;

  private constructor(
    source: KubeConfigSource,
    options: Required<ConnectionOptions>,
    initial: { loaded: LoadedKubeConfig; fingerprint: string; credentials: Credentials },
  ) {
    this.#source = source;
    this.#options = options;
    this.limit = new InFlightLimit(options.maxInFlight);
    this.#loaded = initial.loaded;
    this.#fingerprint = initial.fingerprint;
    this.#session = new PooledSession(initial.credentials, new Pools(initial.credentials));
    this.#nextCheck = performance.now() + options.recheckInterval;
  }

  /**
   * Reads the kubeconfig and makes the pools; it does not contact the server yet.
   * @throws TerminalError or RetryableError as `loadKubeConfig` and `credentialsOf` do.
   */
  static async open(
    source: KubeConfigSource,
    options: ConnectionOptions = {},
  ): Promise<Connection> {
    const loaded = await loadKubeConfig(source);
    const fingerprint = await fingerprintOf(loaded.files);
    const credentials = await credentialsOf(loaded);
    const all = { maxInFlight: 16, recheckInterval: seconds(10), ...options };
    return new Connection(source, all, { loaded, fingerprint, credentials });
  }

  /** `https://host:port` of the server. */
  get origin(): string {
    return this.#session.origin;
  }

  /** The namespace of the kubeconfig's context, or of the pod. */
  get namespace(): string | undefined {
    return this.#session.namespace;
  }

  /** The current session. A plain value on the hot path, a promise when a look at files is due. */
  session(): Session | Promise<Session> {
    if (this.#closed) throw new TerminalError('The connection to the API server is closed');
    if (performance.now() < this.#nextCheck) return this.#session;
    return this.#check('Changed');
  }

  /** Why the last look at files or exec plugin failed; undefined when it went well. */
  get lastError(): unknown {
    return this.#lastError;
  }

  /**
   * Reads all credentials again, since the server refused the present ones; not more often than ten
   * times as fast as they are looked at anyway, so that a storm of 401s is no storm of exec plugins.
   */
  reload(): Promise<Session> {
    if (this.#reloading !== undefined) return this.#reloading;
    const now = performance.now();
    if (now < this.#nextReload) return Promise.resolve(this.session());
    this.#nextReload = now + this.#options.recheckInterval / 10;
    this.#reloading = this.#reloadAfterCheck().finally(() => {
      this.#reloading = undefined;
    });
    return this.#reloading;
  }

  /** A look for changes that is under way would leave alone what has not changed on disk. */
  async #reloadAfterCheck(): Promise<Session> {
    if (this.#checking !== undefined) await this.#checking;
    return this.#check('Always');
  }

  /** Lets requests in flight finish, then closes the pools. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#session.pools.close();
  }

  /** Cuts everything off. */
  async destroy(): Promise<void> {
    this.#closed = true;
    await this.#session.pools.destroy();
  }

  #check(when: 'Changed' | 'Always'): Promise<Session> {
    this.#checking ??= this.#refresh(when).finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #refresh(when: 'Changed' | 'Always'): Promise<Session> {
    try {
      const fingerprint = await fingerprintOf(this.#loaded.files);
      const unchanged = fingerprint === this.#fingerprint && when === 'Changed';
      if (!unchanged) this.#loaded = await loadKubeConfig(this.#source);
      // An exec plugin's credential has no file to look at: its own expiry decides.
      if (!unchanged || this.#loaded.config.getCurrentUser()?.exec) {
        this.#adopt(await credentialsOf(this.#loaded));
      }
      this.#fingerprint = fingerprint;
      this.#lastError = undefined;
    } catch (error) {
      // Half-written files during a rotation: the present credentials may well be good still.
      this.#lastError = error;
      if (when === 'Always') throw error;
    } finally {
      this.#nextCheck = performance.now() + this.#options.recheckInterval;
    }
    return this.#session;
  }

  /** @throws when certificate and key do not belong together, as in the middle of a rotation. */
  #adopt(credentials: Credentials): void {
    const old = this.#session;
    if (old.pools.fits(credentials)) {
      this.#session = new PooledSession(credentials, old.pools);
      return;
    }
    createSecureContext(credentials.tls);
    this.#session = new PooledSession(credentials, new Pools(credentials));
    old.pools.retire();
  }
}

class PooledSession implements Session {
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
class Pools {
  readonly #credentials: Credentials;
  readonly #made = new Map<Purpose, Dispatcher>();

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
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
      return new Pool(origin, { ...options, connect: { ...connectTls, ...socket } });
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

/**
 * Changes when one of the files changes. `stat` follows links, so the symlink swap by which the
 * kubelet rotates projected volumes shows too.
 */
async function fingerprintOf(files: string[]): Promise<string> {
  const states = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ mtimeMs, ino, size }) => `${mtimeMs}/${ino}/${size}`,
        () => 'missing',
      ),
    ),
  );
  return states.join(' ');
}
