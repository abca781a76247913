import type { TokenCredential } from '@azure/identity';
import { instant } from '../core/time.ts';
import { type AzureIdentity, azureIdentityOf } from './annotations.ts';
import { clientOver } from './azure-client.ts';
import { cloudFailed } from './cloud-error.ts';
import type {
  AccessToken,
  CloudEndpoints,
  CloudIdentity,
  CloudServiceAccount,
} from './identity.ts';
import { type Login, LoginCaches } from './login-cache.ts';
import { transportTo } from './transport.ts';

const audience = 'api://AzureADTokenExchange';
const publicAuthority = new URL('https://login.microsoftonline.com');

const logins = new LoginCaches<AccessToken>();

/**
 * An access token for Azure, good for five minutes at least: of the managed identity or application that
 * a ServiceAccount is annotated with, or of what the process finds around itself. A federated login uses
 * the token of its ServiceAccount and nothing of the process: no secret, file, metadata server or proxy.
 *
 * @param scope such as `https://vault.azure.net/.default`
 * @throws TerminalError for a missing or malformed annotation; RetryableError when Microsoft Entra does
 *   not answer or refuses; what `mintToken` throws.
 */
export async function azureAccessToken(
  identity: CloudIdentity,
  scope: string,
  endpoints: CloudEndpoints,
  signal: AbortSignal,
): Promise<AccessToken> {
  const cache = logins.for(endpoints);
  if (identity.kind === 'Ambient') {
    return await cache.get(
      JSON.stringify([scope]),
      signal,
      async (until) => await ambient(scope, until),
    );
  }
  const { serviceAccount } = identity;
  const wanted = azureIdentityOf(serviceAccount);
  const { namespace, name } = serviceAccount;
  const key = JSON.stringify([scope, namespace, name, wanted.tenantId, wanted.clientId]);
  return await cache.get(
    key,
    signal,
    async (deadline) => await federate(serviceAccount, wanted, { scope, endpoints }, deadline),
  );
}

/** Forgets a token that was refused. */
export function forgetAzureToken(endpoints: CloudEndpoints, token: string): void {
  logins.for(endpoints).evict((known) => known.token === token);
}

async function federate(
  account: CloudServiceAccount,
  { tenantId, clientId }: AzureIdentity,
  { scope, endpoints }: { scope: string; endpoints: CloudEndpoints },
  signal: AbortSignal,
): Promise<Login<AccessToken>> {
  const token = await account.mintToken([audience], signal);
  const { ClientAssertionCredential } = await import('./sdk/azure-identity.ts');
  const authority = endpoints.azureAuthority ?? publicAuthority;
  const send = transportTo([authority], endpoints);
  const assertion = async (): Promise<string> => await Promise.resolve(token);
  const credential = new ClientAssertionCredential(tenantId, clientId, assertion, {
    authorityHost: authority.href,
    // The authority is the operator's word; to ask a public one about it would be another place.
    disableInstanceDiscovery: true,
    httpClient: clientOver(send, authority, signal),
    retryOptions: { maxRetries: 2, retryDelayInMs: 200, maxRetryDelayInMs: 1000 },
  });
  const { namespace, name } = account;
  try {
    return await tokenFrom(credential, scope, signal);
  } catch (error) {
    throw cloudFailed(`Azure did not log in ServiceAccount ${namespace}/${name}`, error, [token]);
  }
}

/** What the process finds around itself; no program is run for it. */
async function ambient(scope: string, signal: AbortSignal): Promise<Login<AccessToken>> {
  const azure = await import('./sdk/azure-identity.ts');
  const sources: TokenCredential[] = [new azure.EnvironmentCredential()];
  if (process.env['AZURE_FEDERATED_TOKEN_FILE'] !== undefined) {
    sources.push(new azure.WorkloadIdentityCredential());
  }
  const clientId = process.env['AZURE_CLIENT_ID'];
  sources.push(new azure.ManagedIdentityCredential(clientId === undefined ? {} : { clientId }));
  try {
    return await tokenFrom(new azure.ChainedTokenCredential(...sources), scope, signal);
  } catch (error) {
    throw cloudFailed('no Azure credentials around the controller', error);
  }
}

async function tokenFrom(
  credential: TokenCredential,
  scope: string,
  signal: AbortSignal,
): Promise<Login<AccessToken>> {
  const given = await credential.getToken(scope, { abortSignal: signal });
  if (given === null || given.token === '') throw new Error('the answer has no access token');
  const expiresAt = instant(given.expiresOnTimestamp);
  return { credentials: { token: given.token, expiresAt }, expiresAt };
}
