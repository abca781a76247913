import { minutes } from '../core/time.ts';
import type { KubernetesClient } from './client.ts';
import { TokenStore } from './tokens.ts';

/** Most sets of audiences, which are in tenants' hands, and tokens of each. */
const mostAudiences = 100;
const mostTokens = 200;

/**
 * The shortest that Kubernetes gives. Whoever gets such a token cannot ask whether its account is still
 * there.
 */
const lifetime = minutes(10);

/** Tokens of ServiceAccounts for somebody else than the API server (TokenRequest). */
export class AudienceTokens {
  readonly #client: KubernetesClient;
  /** By audiences; the order is that of last use. */
  readonly #stores = new Map<string, TokenStore>();

  constructor(client: KubernetesClient) {
    this.#client = client;
  }

  /** @throws ApiError, and RetryableError when the account is missing or the request is refused. */
  async token(
    namespace: string,
    name: string,
    audiences: readonly string[],
    signal: AbortSignal,
  ): Promise<string> {
    // Without one it would be for the API server.
    if (audiences.length === 0) throw new Error('a token needs an audience');
    return await this.#storeFor(audiences).token(namespace, name, signal);
  }

  #storeFor(audiences: readonly string[]): TokenStore {
    const key = JSON.stringify(audiences);
    const store =
      this.#stores.get(key) ??
      new TokenStore(this.#client, { audiences, lifetime, maxTokens: mostTokens });
    this.#stores.delete(key);
    this.#stores.set(key, store);
    const [oldest] = this.#stores.keys();
    if (this.#stores.size > mostAudiences && oldest !== undefined) this.#stores.delete(oldest);
    return store;
  }
}
