import type { CryptographyClientOptions } from '@azure/keyvault-keys';
import { TerminalError } from '../../core/errors.ts';
import type { SealedDataKey } from '../../types/key-services.ts';
import type { Send } from '../transport.ts';
import { type Asking, senderTo } from './asking.ts';
import { badEntry, isTreated, serviceFailure } from './failures.ts';
import { flatHeaders } from './flat-headers.ts';
import { bytesOf } from './sealed-bytes.ts';

const service = 'Azure Key Vault';

/**
 * Domains below which Microsoft runs vaults, with whom a token for them is for. Anybody can write a
 * URL into a file, and gets no token at any other host.
 */
const domains: readonly (readonly [domain: string, scope: string])[] = [
  ['vault.azure.net', 'https://vault.azure.net/.default'],
  ['vault.azure.cn', 'https://vault.azure.cn/.default'],
  ['vault.usgovcloudapi.net', 'https://vault.usgovcloudapi.net/.default'],
  ['vault.microsoftazure.de', 'https://vault.microsoftazure.de/.default'],
  ['managedhsm.azure.net', 'https://managedhsm.azure.net/.default'],
  ['managedhsm.azure.cn', 'https://managedhsm.azure.cn/.default'],
  ['managedhsm.usgovcloudapi.net', 'https://managedhsm.usgovcloudapi.net/.default'],
];

interface AzureKey {
  /** `https://<name>.<domain>`. */
  readonly origin: string;
  readonly scope: string;
  readonly name: string;
  /** Of the key's version, or of the key. */
  readonly id: string;
}

/**
 * Opens a data key with a key of an Azure Key Vault (RSA-OAEP-256, as SOPS seals it). The vault is
 * asked without a token first, as the SDK does, and gets one only for the scope of its own domain.
 *
 * @throws TerminalError when the entry or Azure refuses, RetryableError when Azure is busy or not there.
 */
export async function openWithAzureKeyVault(
  sealed: SealedDataKey,
  asking: Asking,
): Promise<Uint8Array> {
  const { credentials, signal } = asking;
  const key = keyOf(sealed);
  const ciphertext = bytesOf(service, sealed.sealed);
  const { CryptographyClient } = await import('../sdk/azure-keyvault.ts');
  const shown: string[] = [];
  const credential = {
    getToken: async (scopes: string | string[]) => {
      if ([scopes].flat().join() !== key.scope) {
        throw new TerminalError(`${service}: the vault asks for a token of another service`);
      }
      const { token, expiresAt } = await credentials.azure(key.scope, signal);
      shown.push(token);
      return { token, expiresOnTimestamp: expiresAt };
    },
  };
  try {
    // Told what the key is like, the SDK does not ask the vault for it, which takes another permission.
    const { id, name, origin } = key;
    const known = { id, name, properties: { name, vaultUrl: origin }, keyOperations: ['decrypt'] };
    const client = new CryptographyClient(known, credential, {
      httpClient: azureClient(senderTo(new URL(key.origin), asking), signal),
      retryOptions: { maxRetries: 1, retryDelayInMs: 200, maxRetryDelayInMs: 1000 },
    });
    const { result } = await client.decrypt(
      { algorithm: 'RSA-OAEP-256', ciphertext },
      {
        abortSignal: signal,
      },
    );
    return result;
  } catch (error) {
    throw treated(error, shown, signal);
  }
}

function keyOf({ fields }: SealedDataKey): AzureKey {
  const text = fields.get('vault_url')?.trim() ?? '';
  const [, origin, domain] =
    /^(https:\/\/[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.([a-z0-9.]+))\/?$/i.exec(text) ?? [];
  const [, scope] = domains.find(([known]) => known === domain?.toLowerCase()) ?? [];
  if (origin === undefined || scope === undefined) {
    throw badEntry(service, 'vault_url of the entry is not below a domain of Azure Key Vault');
  }
  const name = fields.get('name') ?? '';
  const version = fields.get('version') ?? '';
  if (!/^[A-Za-z0-9-]{1,127}$/.test(name)) {
    throw badEntry(service, 'name of the entry is no name of a key');
  }
  if (!/^[A-Za-z0-9]{0,64}$/.test(version)) {
    throw badEntry(service, 'version of the entry is no version of a key');
  }
  const id = `${origin}/keys/${name}${version === '' ? '' : `/${version}`}`;
  return { origin: origin.toLowerCase(), scope, name, id };
}

type AzureClient = NonNullable<CryptographyClientOptions['httpClient']>;
type AzureRequest = Parameters<AzureClient['sendRequest']>[0];
type AzureResponse = Awaited<ReturnType<AzureClient['sendRequest']>>;

/** Sends the SDK's requests, which go nowhere else than the vault. */
function azureClient(send: Send, signal: AbortSignal): AzureClient {
  return {
    sendRequest: async (request: AzureRequest): Promise<AzureResponse> => {
      const url = new URL(request.url);
      const { body, method } = request;
      const answer = await send(
        {
          url,
          method,
          headers: request.headers.toJSON(),
          body: typeof body === 'string' ? body : undefined,
        },
        signal,
      );
      // The SDK would follow, and take what it sends along.
      if (answer.status >= 300 && answer.status < 400) {
        throw badEntry(service, `the vault answered ${answer.status}, a redirect`);
      }
      const headers = new AnswerHeaders(flatHeaders(answer.headers));
      return { request, status: answer.status, headers, bodyAsText: answer.body };
    },
  };
}

/** Headers as the SDK reads them. */
class AnswerHeaders extends Map<string, string> {
  constructor(headers: Readonly<Record<string, string>>) {
    super(Object.entries(headers));
  }

  override get(name: string): string | undefined {
    return super.get(name.toLowerCase());
  }

  override has(name: string): boolean {
    return super.has(name.toLowerCase());
  }

  toJSON(): Record<string, string> {
    return Object.fromEntries(this);
  }
}

function treated(error: unknown, shown: readonly string[], signal: AbortSignal): unknown {
  if (signal.aborted || isTreated(error) || !(error instanceof Error)) return error;
  const status =
    'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 0;
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : '';
  return serviceFailure(service, { status, words: `${code}${error.message}`, shown });
}
