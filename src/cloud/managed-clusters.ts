import type { CloudClusterName } from '../core/clusters/cloud-cluster.ts';
import { aksToken, findAks, forgetAksToken } from './aks.ts';
import type { ClusterAddress } from './cluster-answers.ts';
import { eksToken, findEks, forgetEksToken } from './eks.ts';
import { forgetGcpToken, gcpAccessToken } from './gcp.ts';
import { findGke } from './gke.ts';
import type { AccessToken, CloudEndpoints, CloudIdentity } from './identity.ts';

/** Who asks about a cluster, and logs in to it. */
export interface CloudLogin {
  readonly identity: CloudIdentity;
  readonly endpoints: CloudEndpoints;
}

/**
 * Where a managed cluster is: the addresses that its cloud knows of, the usual one first, at least one.
 *
 * @throws what a login throws; RetryableError when the cloud does not answer, refuses or knows no such
 *   cluster.
 */
export async function findCluster(
  cluster: CloudClusterName,
  { identity, endpoints }: CloudLogin,
  signal: AbortSignal,
): Promise<readonly ClusterAddress[]> {
  switch (cluster.provider) {
    case 'aws':
      return await findEks(cluster, identity, endpoints, signal);
    case 'gcp':
      return await findGke(cluster.path, identity, endpoints, signal);
    case 'azure':
      return await findAks(cluster.resourceId, identity, endpoints, signal);
  }
}

/** A token that the cluster's API server takes, good for five minutes at least. */
export async function clusterToken(
  cluster: CloudClusterName,
  { identity, endpoints }: CloudLogin,
  signal: AbortSignal,
): Promise<AccessToken> {
  switch (cluster.provider) {
    case 'aws':
      return await eksToken(cluster, identity, endpoints, signal);
    case 'gcp':
      return await gcpAccessToken(identity, endpoints, signal);
    case 'azure':
      return await aksToken(identity, endpoints, signal);
  }
}

/** Forgets a token that the cluster refused, so that the next one is of a new login. */
export function forgetClusterToken(
  cluster: CloudClusterName,
  endpoints: CloudEndpoints,
  token: string,
): void {
  switch (cluster.provider) {
    case 'aws':
      forgetEksToken(endpoints, token);
      return;
    case 'gcp':
      forgetGcpToken(endpoints, token);
      return;
    case 'azure':
      forgetAksToken(endpoints, token);
  }
}
