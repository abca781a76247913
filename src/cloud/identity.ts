import type { Instant } from '../core/time.ts';

/** Who logs in: the environment of the process, or a ServiceAccount's federated identity and nothing else. */
export type CloudIdentity =
  | { readonly kind: 'Ambient' }
  | { readonly kind: 'Federated'; readonly serviceAccount: CloudServiceAccount };

/** A ServiceAccount of the local cluster that a cloud trusts by the cluster's OIDC issuer. */
export interface CloudServiceAccount {
  readonly namespace: string;
  readonly name: string;
  /** As they are now: they say who the account is at the cloud. */
  readonly annotations: Readonly<Record<string, string>>;
  /** A TokenRequest token for these audiences. */
  readonly mintToken: (audiences: readonly string[], signal: AbortSignal) => Promise<string>;
}

/**
 * Endpoints that differ from the clouds' own (tests, private endpoints): set by the operator's flags or
 * environment only, never by a tenant. Logins are remembered for each object of this type: keep one.
 */
export interface CloudEndpoints {
  readonly awsSts?: URL;
  readonly awsKms?: URL;
  readonly awsEks?: URL;
  readonly gcpSts?: URL;
  readonly gcpIam?: URL;
  readonly gcpKms?: URL;
  readonly gcpContainer?: URL;
  readonly azureAuthority?: URL;
  readonly azureManagement?: URL;
  /** PEM; authorities that the certificates of these are from. Undefined trusts the usual ones. */
  readonly ca?: string;
}

/** What GCP and Azure are shown. */
export interface AccessToken {
  readonly token: string;
  readonly expiresAt: Instant;
}

/** What AWS requests are signed with, in the form that its SDK takes. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Undefined for keys without an end. */
  readonly expiration?: Date;
}
