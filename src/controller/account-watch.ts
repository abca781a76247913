import type { KubernetesClient } from '../kubernetes/client.ts';
import { Reflector, type ReflectorEvent, type ReflectorOptions } from '../kubernetes/reflector.ts';
import { identityOnly } from '../kubernetes/store.ts';
import { scopesOf } from './watched-namespaces.ts';

export interface AccountWatchOptions {
  /** Empty follows the whole cluster. */
  readonly namespaces: readonly string[];
  /** Told of an account that is gone, or is another one under the same name. */
  readonly onGone: (namespace: string, name: string) => void;
  /** Told of an account that was created just now. */
  readonly onCreated: (namespace: string, name: string) => void;
  readonly onTrouble: ReflectorOptions['onTrouble'];
}

/**
 * Follows which ServiceAccounts there are, their metadata only. A token is bound to the UID of its
 * account while everything else knows it by name (part A 9.2): whoever deletes and creates an account
 * must not leave us with the token of the old one until the API server refuses it.
 */
export class AccountWatch {
  readonly reflectors: readonly Reflector[];
  readonly #options: AccountWatchOptions;

  constructor(client: KubernetesClient, options: AccountWatchOptions) {
    this.#options = options;
    const { namespaces, onTrouble } = options;
    const kind = { apiVersion: 'v1', kind: 'ServiceAccount', as: 'Metadata' } as const;
    this.reflectors = scopesOf(namespaces).map((scope) => {
      const reflector: Reflector = new Reflector(
        client,
        { ...kind, ...scope },
        {
          transform: identityOnly,
          onEvent: (event) => this.#see(event, reflector),
          ...(onTrouble === undefined ? {} : { onTrouble }),
        },
      );
      return reflector;
    });
  }

  #see(event: ReflectorEvent, { hasSynced }: Reflector): void {
    if (event.type === 'Synced' || event.type === 'Modified') return;
    const { namespace = '', name } = event.object.metadata;
    if (event.type === 'Deleted') this.#options.onGone(namespace, name);
    // What there was at the start is no news.
    else if (hasSynced) this.#options.onCreated(namespace, name);
  }
}
