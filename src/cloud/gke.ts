import { cloudFailed } from './cloud-error.ts';
import { addressFrom, ask, asText, at, type ClusterAddress } from './cluster-answers.ts';
import { gcpAccessToken } from './gcp.ts';
import type { CloudEndpoints, CloudIdentity } from './identity.ts';

/**
 * Where a GKE cluster is. @throws as `findCluster` does
 * @param path `projects/P/locations/L/clusters/C`
 */
export async function findGke(
  path: string,
  identity: CloudIdentity,
  endpoints: CloudEndpoints,
  signal: AbortSignal,
): Promise<readonly ClusterAddress[]> {
  const { token } = await gcpAccessToken(identity, endpoints, signal);
  const url = new URL(`/v1/${path}`, endpoints.gcpContainer ?? 'https://container.googleapis.com');
  try {
    const cluster = await ask('GET', url, token, endpoints, signal);
    const ca = asText(at(cluster, 'masterAuth', 'clusterCaCertificate'));
    const byIp = [
      at(cluster, 'endpoint'),
      at(cluster, 'privateClusterConfig', 'privateEndpoint'),
    ].flatMap((endpoint) => {
      const address = asText(endpoint);
      return address === undefined ? [] : [addressFrom(address, ca)];
    });
    const name = asText(
      at(cluster, 'controlPlaneEndpointsConfig', 'dnsEndpointConfig', 'endpoint'),
    );
    // The name's certificate is from a public authority, not from the cluster's.
    const found = name === undefined ? byIp : [...byIp, addressFrom(name, undefined)];
    if (found.length === 0) throw new Error('the answer has no address of the cluster');
    return found;
  } catch (error) {
    signal.throwIfAborted();
    throw cloudFailed(`GCP did not describe GKE cluster ${path}`, error, [token]);
  }
}
