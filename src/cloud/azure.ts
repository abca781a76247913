import type { AccessToken, CloudEndpoints, CloudIdentity } from './identity.ts';

export async function azureAccessToken(
  identity: CloudIdentity,
  scope: string,
  endpoints: CloudEndpoints,
  signal: AbortSignal,
): Promise<AccessToken> {
  await Promise.reject(new Error(`not yet: ${identity.kind} ${scope} ${String(endpoints.ca)}`));
  throw signal.reason;
}
