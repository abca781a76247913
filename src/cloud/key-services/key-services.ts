import { TerminalError } from '../../core/errors.ts';
import type { SealedDataKey } from '../../types/key-services.ts';
import type { CloudEndpoints } from '../identity.ts';
import { transportTo } from '../transport.ts';
import type { Asking } from './asking.ts';
import { openWithAwsKms } from './aws-kms.ts';
import { openWithAzureKeyVault } from './azure-key-vault.ts';
import type { CloudCredentials } from './credentials.ts';
import { openWithGcpKms } from './gcp-kms.ts';
import type { VaultTransit } from './vault-transit.ts';

export interface KeyServicesOptions {
  /** Undefined where the operator has none. */
  readonly vault: VaultTransit | undefined;
  readonly endpoints: CloudEndpoints;
  readonly transport?: Asking['transport'];
}

/** Opens data keys with the key service that has sealed them; the SDK of each is loaded with its first. */
export class KeyServices {
  readonly #options: Required<KeyServicesOptions>;

  constructor(options: KeyServicesOptions) {
    this.#options = { transport: transportTo, ...options };
  }

  /**
   * @throws TerminalError when the entry or the service refuses, RetryableError when the service is busy
   * or not there; the messages are for the log.
   */
  async open(
    sealed: SealedDataKey,
    credentials: CloudCredentials,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const { endpoints, transport, vault } = this.#options;
    const asking: Asking = { credentials, endpoints, transport, signal };
    switch (sealed.kind) {
      case 'kms':
        return await openWithAwsKms(sealed, asking);
      case 'gcp_kms':
        return await openWithGcpKms(sealed, asking);
      case 'azure_kv':
        return await openWithAzureKeyVault(sealed, asking);
      case 'hc_vault':
        return await vaultFor(credentials, vault).open(sealed, signal);
    }
  }
}

/** Vault knows no ServiceAccount by itself: what opens its keys is the controller's token. */
function vaultFor({ kind }: CloudCredentials, vault: VaultTransit | undefined): VaultTransit {
  if (kind === 'ServiceAccount') {
    throw new TerminalError(
      'Vault is asked as the controller only, which --object-level-kms does not allow for a ' +
        'StageSet with a ServiceAccount',
    );
  }
  if (vault !== undefined) return vault;
  throw new TerminalError('the controller knows no Vault; set VAULT_ADDR');
}
