import type { AwsCredentials, CloudEndpoints, CloudIdentity } from './identity.ts';

export async function awsCredentials(
  identity: CloudIdentity,
  region: string,
  endpoints: CloudEndpoints,
  signal: AbortSignal,
): Promise<AwsCredentials> {
  await Promise.reject(new Error(`not yet: ${identity.kind} ${region} ${String(endpoints.ca)}`));
  throw signal.reason;
}
