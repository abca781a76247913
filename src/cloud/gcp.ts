import type { AccessToken, CloudEndpoints, CloudIdentity } from './identity.ts';

export async function gcpAccessToken(
  identity: CloudIdentity,
  endpoints: CloudEndpoints,
  signal: AbortSignal,
): Promise<AccessToken> {
  await Promise.reject(new Error(`not yet: ${identity.kind} ${String(endpoints.ca)}`));
  throw signal.reason;
}
