import { readYaml } from '../core/objects/yaml.ts';
import { azureAccessToken, forgetAzureToken } from './azure.ts';
import { cloudFailed } from './cloud-error.ts';
import { addressFrom, ask, asText, at, type ClusterAddress } from './cluster-answers.ts';
import type { AccessToken, CloudEndpoints, CloudIdentity } from './identity.ts';

/** What all AKS clusters with Microsoft Entra are to Entra: one application of Microsoft's. */
const aksScope = '6dae42f8-4368-4678-94ff-3960e28e3630/.default';

const apiVersion = '2024-09-01';

/** Clusters of one kubeconfig, and kubeconfigs, of each. */
const most = 20;

/** A token for AKS clusters. */
export async function aksToken(
  identity: CloudIdentity,
  endpoints: CloudEndpoints,
  signal: AbortSignal,
): Promise<AccessToken> {
  return await azureAccessToken(identity, aksScope, endpoints, signal);
}

export function forgetAksToken(endpoints: CloudEndpoints, token: string): void {
  forgetAzureToken(endpoints, token);
}

/**
 * Where an AKS cluster is, out of the kubeconfigs that Azure has for its users. Their users are left: we
 * log in by token. @throws as `findCluster` does
 */
export async function findAks(
  resourceId: string,
  identity: CloudIdentity,
  endpoints: CloudEndpoints,
  signal: AbortSignal,
): Promise<readonly ClusterAddress[]> {
  const management = endpoints.azureManagement ?? new URL('https://management.azure.com');
  const scope = `${management.origin}/.default`;
  const { token } = await azureAccessToken(identity, scope, endpoints, signal);
  const url = new URL(`${resourceId}/listClusterUserCredential`, management);
  url.searchParams.set('api-version', apiVersion);
  try {
    const listed = at(await ask('POST', url, token, endpoints, signal), 'kubeconfigs');
    const kubeconfigs: unknown[] = Array.isArray(listed) ? listed.slice(0, most) : [];
    const found = kubeconfigs.flatMap((each) => addressesIn(asText(at(each, 'value')) ?? ''));
    if (found.length === 0) throw new Error('the answer has no kubeconfig with an address');
    return found;
  } catch (error) {
    signal.throwIfAborted();
    throw cloudFailed(`Azure did not describe AKS cluster ${resourceId}`, error, [token]);
  }
}

/** @param encoded base64 */
function addressesIn(encoded: string): ClusterAddress[] {
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  let document: unknown;
  try {
    document = [...readYaml(text, 'kubeconfig', 'Kubernetes')][0]?.value;
  } catch {
    // The parser's own words may quote the document, which may hold keys.
    throw new Error('the answer has a kubeconfig that is no YAML');
  }
  const clusters = at(document, 'clusters');
  const entries: unknown[] = Array.isArray(clusters) ? clusters.slice(0, most) : [];
  return entries.map((entry) =>
    addressFrom(
      asText(at(entry, 'cluster', 'server')),
      asText(at(entry, 'cluster', 'certificate-authority-data')),
    ),
  );
}
