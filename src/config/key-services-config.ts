import { vaultAddress } from '../core/vault-address.ts';
import type { FlagName } from './flags.ts';
import { UsageError } from './usage-error.ts';
import { type GivenValue, readBoolean } from './values.ts';

/** How data keys of encrypted files are opened by key services. */
export interface KeyServicesConfig {
  /**
   * `ServiceAccount`: as the account of a StageSet that has one, and never as the controller then.
   * `Controller`: as the controller, whoever has the files.
   */
  readonly identity: 'Controller' | 'ServiceAccount';
  /** The one Vault that gets the controller's token; undefined for none. */
  readonly vault: VaultConfig | undefined;
}

interface VaultConfig {
  /** As `vaultAddress` spells it. */
  readonly address: string;
  readonly namespace: string | undefined;
  /** File with certificates, as PEM; undefined trusts the usual ones. */
  readonly caFile: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws UsageError */
export function readKeyServices(
  given: (name: FlagName) => GivenValue,
  environment: Environment,
): KeyServicesConfig {
  const identity = readBoolean(given('object-level-kms')) ? 'ServiceAccount' : 'Controller';
  return { identity, vault: readVault(environment) };
}

/** The variables by which Vault's own tools, and SOPS, are told where it is. */
function readVault(environment: Environment): VaultConfig | undefined {
  const variable = (name: string): string | undefined => {
    const text = environment[name]?.trim() ?? '';
    return text === '' ? undefined : text;
  };
  const text = variable('VAULT_ADDR');
  if (text === undefined) return undefined;
  const address = vaultAddress(text);
  if (address === undefined) {
    // It is not quoted: there may be a password in it.
    throw new UsageError(
      'VAULT_ADDR: the value is not accepted; give a URL without credentials and query, such as ' +
        'https://vault.example:8200',
    );
  }
  return Object.freeze({
    address,
    namespace: variable('VAULT_NAMESPACE'),
    caFile: variable('VAULT_CACERT'),
  });
}
