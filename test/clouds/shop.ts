import { awsCredentials } from '../../src/cloud/aws.ts';
import { azureAccessToken } from '../../src/cloud/azure.ts';
import { gcpAccessToken } from '../../src/cloud/gcp.ts';
import type {
  CloudEndpoints,
  CloudIdentity,
  CloudServiceAccount,
} from '../../src/cloud/identity.ts';
import type { TestClouds } from './server.ts';

export const role = 'arn:aws:iam::123456789012:role/shop';
export const email = 'shop@project.iam.gserviceaccount.com';
export const clientId = '00000000-1111-2222-3333-444444444444';
export const vault = 'https://vault.azure.net/.default';

/** The annotations of an account that all three clouds know. */
export function annotationsFor({ gcp, azure }: TestClouds): Record<string, string> {
  return {
    'eks.amazonaws.com/role-arn': role,
    'gcp.auth.fluxcd.io/workload-identity-provider': gcp.provider,
    'iam.gke.io/gcp-service-account': email,
    'azure.workload.identity/tenant-id': azure.tenantId,
    'azure.workload.identity/client-id': clientId,
  };
}

/** Has all three clouds trust a ServiceAccount. */
export function trust({ aws, gcp, azure }: TestClouds, namespace: string, name: string): void {
  const subject = `system:serviceaccount:${namespace}:${name}`;
  aws.trust.set(role, subject);
  gcp.trust.set(email, subject);
  azure.trust.set(clientId, subject);
}

export function federated(serviceAccount: CloudServiceAccount): CloudIdentity {
  return { kind: 'Federated', serviceAccount };
}

/** A way to log in at each cloud. */
export interface CloudCase {
  readonly cloud: 'AWS' | 'GCP' | 'Azure';
  /** What tokens of the ServiceAccount are for. */
  readonly audience: (clouds: TestClouds) => string;
  readonly annotation: string;
  /** Most requests of one login whose every request fails. */
  readonly mostTries: number;
  /** Logs in; what identifies the login. */
  readonly logIn: (
    identity: CloudIdentity,
    endpoints: CloudEndpoints,
    signal: AbortSignal,
  ) => Promise<string>;
}

export const cloudCases: readonly CloudCase[] = [
  {
    cloud: 'AWS',
    audience: () => 'sts.amazonaws.com',
    annotation: 'eks.amazonaws.com/role-arn',
    mostTries: 3,
    logIn: async (identity, endpoints, signal) =>
      (await awsCredentials(identity, 'eu-central-1', endpoints, signal)).accessKeyId,
  },
  {
    cloud: 'GCP',
    audience: ({ gcp }) => `//iam.googleapis.com/${gcp.provider}`,
    annotation: 'gcp.auth.fluxcd.io/workload-identity-provider',
    mostTries: 4,
    logIn: async (identity, endpoints, signal) =>
      (await gcpAccessToken(identity, endpoints, signal)).token,
  },
  {
    cloud: 'Azure',
    audience: () => 'api://AzureADTokenExchange',
    annotation: 'azure.workload.identity/client-id',
    mostTries: 3,
    logIn: async (identity, endpoints, signal) =>
      (await azureAccessToken(identity, vault, endpoints, signal)).token,
  },
];
