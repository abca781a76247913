import { namedAccountOf } from '../core/service-account.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { serviceAccountUser } from '../kubernetes/identity.ts';
import type { TokenStore } from '../kubernetes/tokens.ts';
import type { AccountName } from '../types/key-services.ts';
import type { StageSet } from '../types/stages.ts';
import type { AccountDefaults } from './default-accounts.ts';

/** What stands for the controller's own identity where others have a username. */
export const ownIdentity = 'controller';

/**
 * The clients that act as tenants. Everything that a spec names is read and written through one of
 * these, never through the controller's own client (part A 9.1).
 */
export class Tenants {
  readonly #own: KubernetesClient;
  readonly #tokens: TokenStore;
  readonly #defaults: AccountDefaults;

  constructor(own: KubernetesClient, tokens: TokenStore, defaults: AccountDefaults) {
    this.#own = own;
    this.#tokens = tokens;
    this.#defaults = defaults;
  }

  /** Forgets the tokens of accounts that nobody acts as any more (part A 2.10, step 5). */
  release(stageSet: StageSet, inUse: (account: string) => boolean): void {
    for (const account of accountsOf(stageSet)) {
      const [namespace = '', name = ''] = account.split('/');
      if (!inUse(account)) this.#tokens.evict(namespace, name);
    }
  }

  /**
   * The client of a stage's ServiceAccount; of the whole StageSet's when the stage has none, and of the
   * default one when that has none either.
   * @throws what `AccountDefaults` throws.
   */
  tenantOf(stageSet: StageSet, stageName?: string): Tenant {
    const namespace = stageSet.metadata.namespace ?? '';
    const name = namedAccountOf(stageSet.spec, stageName) ?? this.#defaults.of(namespace);
    // No ServiceAccount anywhere is the single-tenant set-up: the controller's own identity.
    if (name === undefined) return { client: this.#own, identity: ownIdentity };
    return {
      client: this.#tokens.clientFor(namespace, name, this.#own),
      identity: serviceAccountUser(namespace, name),
      account: { namespace, name },
    };
  }
}

/** The ServiceAccounts that a StageSet acts as, as `namespace/name`, each once. */
export function accountsOf({ metadata, spec }: StageSet): string[] {
  const named = [spec, ...(spec?.stages ?? [])];
  const names = new Set(named.flatMap((each) => each?.serviceAccountName ?? []));
  names.delete('');
  return [...names].map((name) => `${metadata.namespace ?? ''}/${name}`);
}

export interface Tenant {
  readonly client: KubernetesClient;
  /** Username, so that what is remembered for one identity is never used for another. */
  readonly identity: string;
  /** Undefined for the controller's own identity. */
  readonly account?: AccountName;
  /** Address of a remote cluster; undefined for the local one. */
  readonly server?: string;
}
