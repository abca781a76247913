import { stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { TerminalError } from '../core/errors.ts';
import { type Duration, seconds } from '../core/time.ts';
import type { ApiConnection } from './api-connection.ts';
import { InFlightLimit } from './in-flight-limit.ts';
import {
  type Credentials,
  credentialsOf,
  type KubeConfigSource,
  type LoadedKubeConfig,
  loadKubeConfig,
} from './kubeconfig.ts';
import { PooledSession, Pools, type Session } from './pools.ts';
import { ServerDoubt } from './server-doubt.ts';

export interface ConnectionOptions {
  /** Requests in flight to this server of those without a limit of their own. Default 16. */
  maxInFlight?: number;
  /** How often files and exec credentials are looked at for a change. Default 10 s. */
  recheckInterval?: Duration;
}

/**
 * Keep-alive pools to one API server, with the authentication of a kubeconfig. Rotated files and
 * expired exec credentials are noticed at most `recheckInterval` later, or at once when the server
 * says 401; new TLS material makes new pools, and requests on the old ones finish there.
 */
export class Connection implements ApiConnection {
  readonly limit: InFlightLimit;
  readonly doubt = new ServerDoubt();
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
