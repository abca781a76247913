import { type Duration, type Instant, instant, minutes, seconds } from '../core/time.ts';
import { untilAborted } from '../kubernetes/wait.ts';
import { cloudFailed } from './cloud-error.ts';

export interface LoginCacheOptions {
  /** How long before its end a login is no longer handed out. Default 5 min. */
  readonly refreshBefore?: Duration;
  /** Bound of one login with all of its requests. Default 30 s. */
  readonly loginTimeout?: Duration;
  /** Identities that are remembered; the one unused longest is forgotten. Default 1000. */
  readonly most?: number;
  readonly now?: () => Instant;
}

/** What a login brought, and until when it is good; undefined for ever. */
export interface Login<Credentials> {
  readonly credentials: Credentials;
  readonly expiresAt: Instant | undefined;
}

interface Kept<Credentials> {
  readonly credentials: Credentials;
  readonly refreshAt: Instant;
}

interface Slot<Credentials> {
  kept?: Kept<Credentials>;
  loggingIn?: Promise<Kept<Credentials>>;
}

/** Credentials without an end come from files and variables, which may change. */
const shortestTrust = minutes(15);

/**
 * Logins by identity. One is under way for each identity, whoever waits for it, and it goes on when one
 * of those who wait gives up.
 */
export class LoginCache<Credentials> {
  readonly #options: Required<LoginCacheOptions>;
  /** The order is that of last use. */
  readonly #slots = new Map<string, Slot<Credentials>>();

  constructor(options: LoginCacheOptions = {}) {
    this.#options = {
      refreshBefore: minutes(5),
      loginTimeout: seconds(30),
      most: 1000,
      now: () => instant(Date.now()),
      ...options,
    };
  }

  /** Identities that are remembered. */
  get size(): number {
    return this.#slots.size;
  }

  /**
   * Credentials with at least five minutes to live, or half of their life where that is short.
   *
   * @param key everything that decides who logs in, and where
   * @param logIn is given a signal of its own that bounds the login
   */
  async get(
    key: string,
    signal: AbortSignal,
    logIn: (signal: AbortSignal) => Promise<Login<Credentials>>,
  ): Promise<Credentials> {
    const slot = this.#slots.get(key) ?? {};
    this.#slots.delete(key);
    this.#slots.set(key, slot);
    this.#bound();
    if (slot.kept !== undefined && this.#options.now() < slot.kept.refreshAt) {
      return slot.kept.credentials;
    }
    slot.loggingIn ??= this.#logIn(logIn).then(
      (kept) => {
        slot.kept = kept;
        delete slot.loggingIn;
        return kept;
      },
      (error: unknown) => {
        delete slot.loggingIn;
        if (this.#slots.get(key) === slot) this.#slots.delete(key);
        throw error;
      },
    );
    return (await untilAborted(slot.loggingIn, signal)).credentials;
  }

  /** Forgets what was refused, so that the next caller logs in anew. */
  evict(refused: (credentials: Credentials) => boolean): void {
    for (const [key, { kept }] of this.#slots) {
      if (kept !== undefined && refused(kept.credentials)) this.#slots.delete(key);
    }
  }

  async #logIn(
    logIn: (signal: AbortSignal) => Promise<Login<Credentials>>,
  ): Promise<Kept<Credentials>> {
    const { loginTimeout, refreshBefore, now } = this.#options;
    const asked = now();
    const deadline = AbortSignal.timeout(loginTimeout);
    // SDKs do not hand every signal on: the wait for them ends all the same.
    const { credentials, expiresAt } = await untilAborted(logIn(deadline), deadline).catch(
      (error: unknown) => {
        if (!deadline.aborted) throw error;
        throw cloudFailed('the login', new Error(`no answer within ${loginTimeout} ms`));
      },
    );
    const end = expiresAt ?? instant(asked + shortestTrust);
    const refreshAt = instant(Math.max(end - refreshBefore, asked + (end - asked) / 2));
    return { credentials, refreshAt };
  }

  #bound(): void {
    if (this.#slots.size <= this.#options.most) return;
    const [oldest] = this.#slots.keys();
    if (oldest !== undefined) this.#slots.delete(oldest);
  }
}

/** One cache for each set of endpoints: what one place said is nothing to another. */
export class LoginCaches<Credentials> {
  readonly #caches = new WeakMap<object, LoginCache<Credentials>>();

  for(endpoints: object): LoginCache<Credentials> {
    const known = this.#caches.get(endpoints);
    if (known !== undefined) return known;
    const cache = new LoginCache<Credentials>();
    this.#caches.set(endpoints, cache);
    return cache;
  }
}
