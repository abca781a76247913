import { RetryableError } from '../core/errors.ts';
import { type Duration, type Instant, instant, minutes, seconds } from '../core/time.ts';
import type { ObjectReference } from '../types/kubernetes.ts';
import { ApiError, isNotFound } from './api-error.ts';
import type { KubernetesClient } from './client.ts';
import { serviceAccountUser } from './identity.ts';
import { objectAt, stringAt } from './shapes.ts';
import { untilAborted } from './wait.ts';

export interface TokenStoreOptions {
  /** Lifetime that is asked for. Default 1 h (part A 9.2). */
  lifetime?: Duration;
  /** Whom the tokens are for; the API server itself unless given. */
  audiences?: readonly string[];
  /** How long before its expiry a token is no longer handed out. Default 5 min. */
  refreshBefore?: Duration;
  /** Bound of one TokenRequest. Default 30 s. */
  mintTimeout?: Duration;
  /** ServiceAccounts that are remembered; the one unused longest is forgotten. Default 5000. */
  maxTokens?: number;
  now?: () => Instant;
}

interface Minted {
  token: string;
  refreshAt: Instant;
}

interface Slot {
  minted?: Minted;
  minting?: Promise<Minted>;
}

/**
 * Tokens of tenants' ServiceAccounts by TokenRequest (part A 9.2). There is one request under way
 * for each account, whoever waits for it, and it does not end when one of those who wait gives up.
 */
export class TokenStore {
  readonly #client: KubernetesClient;
  readonly #options: Required<TokenStoreOptions>;
  /** The order is that of last use. A slot that is no longer in here has been evicted. */
  readonly #slots = new Map<string, Slot>();

  constructor(client: KubernetesClient, options: TokenStoreOptions = {}) {
    this.#client = client;
    this.#options = {
      lifetime: minutes(60),
      refreshBefore: minutes(5),
      mintTimeout: seconds(30),
      maxTokens: 5000,
      audiences: [],
      now: () => instant(Date.now()),
      ...options,
    };
  }

  /**
   * A token of the ServiceAccount with at least five minutes to live.
   * @throws ApiError when the account is missing (`isNotFound`) or the request is refused: there is no
   *   other identity to fall back to.
   */
  async token(namespace: string, name: string, signal: AbortSignal): Promise<string> {
    const key = serviceAccountUser(namespace, name);
    const slot = this.#slots.get(key) ?? {};
    this.#slots.delete(key);
    this.#slots.set(key, slot);
    this.#bound();
    if (slot.minted !== undefined && this.#options.now() < slot.minted.refreshAt) {
      return slot.minted.token;
    }
    slot.minting ??= this.#mint(namespace, name).then(
      (minted) => {
        // When the slot was evicted meanwhile nobody finds it any more: the eviction has won.
        slot.minted = minted;
        delete slot.minting;
        return minted;
      },
      (error: unknown) => {
        delete slot.minting;
        if (slot.minted === undefined && this.#slots.get(key) === slot) this.#slots.delete(key);
        throw error;
      },
    );
    return (await untilAborted(slot.minting, signal)).token;
  }

  /**
   * Forgets the account's token, and a request for one that is under way. With `refused`: only if
   * that is the token at hand, so that several calls refused together evict once.
   */
  evict(namespace: string, name: string, refused?: string): void {
    const key = serviceAccountUser(namespace, name);
    const slot = this.#slots.get(key);
    if (slot === undefined) return;
    if (refused !== undefined && slot.minted?.token !== refused) return;
    this.#slots.delete(key);
  }

  /** A client that is this ServiceAccount and nothing else, with the limit of `like`. */
  clientFor(
    namespace: string,
    name: string,
    like: KubernetesClient = this.#client,
  ): KubernetesClient {
    return like.withToken(
      (signal) => this.token(namespace, name, signal),
      (refused) => this.evict(namespace, name, refused),
    );
  }

  async #mint(namespace: string, name: string): Promise<Minted> {
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name };
    const { lifetime, mintTimeout, refreshBefore, now, audiences } = this.#options;
    const asked = now();
    const request = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        expirationSeconds: Math.round(lifetime / 1000),
        ...(audiences.length === 0 ? {} : { audiences: [...audiences] }),
      },
    };
    const call = { signal: new AbortController().signal, timeout: mintTimeout };
    const answer = await this.#client
      .createSubresource(account, 'token', request, call)
      .catch((error: unknown) => {
        throw mintFailure(account, error);
      });
    const status = objectAt(answer, 'status');
    const token = stringAt(status, 'token');
    const expiry = Date.parse(stringAt(status, 'expirationTimestamp') ?? '');
    if (token === undefined || Number.isNaN(expiry)) {
      throw new RetryableError(
        `The TokenRequest for ServiceAccount ${namespace}/${name} was answered without token and expirationTimestamp`,
        { object: account },
      );
    }
    // A lifetime so short that it has no five minutes to spare is used for its first half.
    return {
      token,
      refreshAt: instant(Math.max(expiry - refreshBefore, asked + (expiry - asked) / 2)),
    };
  }

  #bound(): void {
    if (this.#slots.size <= this.#options.maxTokens) return;
    const [oldest] = this.#slots.keys();
    if (oldest !== undefined) this.#slots.delete(oldest);
  }
}

/**
 * A refused TokenRequest must not look like the answer to what the token was wanted for: taken for
 * that, a missing ServiceAccount would read as "the object is gone", and what it had would be
 * forgotten. A server that is merely busy keeps its error.
 */
function mintFailure(account: ObjectReference, error: unknown): unknown {
  if (!(error instanceof ApiError) || error.code === 429 || error.code >= 500) return error;
  const { namespace = '', name } = account;
  // A namespace that is going takes its accounts along, and never comes back as it was.
  const ending = error.causes.some(({ reason }) => reason === 'NamespaceTerminating');
  const advice = isNotFound(error)
    ? 'it does not exist; create it, or correct serviceAccountName'
    : `the API server refused it: ${error.message}`;
  return new RetryableError(`no token for ServiceAccount ${namespace}/${name}: ${advice}`, {
    object: account,
    ...(isNotFound(error) || ending ? { reason: missingAccount } : {}),
  });
}

/** Reason of our own for a ServiceAccount that does not exist, or whose namespace is going. */
const missingAccount = 'ServiceAccountMissing';

/** Whether an error says that the ServiceAccount to act as does not exist, or is going for good. */
export function isMissingAccount(error: unknown): boolean {
  return error instanceof RetryableError && error.reason === missingAccount;
}
