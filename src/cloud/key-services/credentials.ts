import type { AccessToken, AwsCredentials } from '../identity.ts';

/** Where the credentials come from that key services are asked with. */
export interface CloudCredentials {
  /** `Controller` also has the token for the operator's Vault. */
  readonly kind: 'Controller' | 'ServiceAccount';
  aws(region: string, signal: AbortSignal): Promise<AwsCredentials>;
  gcp(signal: AbortSignal): Promise<AccessToken>;
  azure(scope: string, signal: AbortSignal): Promise<AccessToken>;
}
