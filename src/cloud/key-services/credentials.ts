/** Keys of AWS, most of them for a while. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Where the credentials come from that key services are asked with. */
export interface CloudCredentials {
  /** `Controller` also has the token for the operator's Vault. */
  readonly kind: 'Controller' | 'ServiceAccount';
  aws(region: string, signal: AbortSignal): Promise<AwsKeys>;
  /** An access token. */
  gcp(signal: AbortSignal): Promise<string>;
  /** An access token, and when it ends in milliseconds since the epoch. */
  azure(scope: string, signal: AbortSignal): Promise<{ token: string; expiresAt: number }>;
}
