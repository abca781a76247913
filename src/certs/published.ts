import type { KubernetesClient } from '../kubernetes/client.ts';
import { objectAt, stringAt } from '../kubernetes/shapes.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { holdsBundle } from './bundle.ts';
import { bundlesIn } from './bundle-patch.ts';
import { referencesOf, type WebhookConfigurations } from './webhook-configurations.ts';

/** Everything in the cluster that verifies our servers. */
export interface BundleHolders {
  webhooks: WebhookConfigurations;
  /** Names of APIServices. */
  apiServices: readonly string[];
}

/**
 * Whether all holders in the cluster have every certificate of the bundle. One that does not exist
 * calls nobody, and counts as having it. Needs `get` on each.
 */
export async function isPublished(
  client: KubernetesClient,
  holders: BundleHolders,
  bundle: string,
  call: CallOptions,
): Promise<boolean> {
  for (const reference of referencesOf(holders.webhooks)) {
    const found = await client.find(reference, call);
    const held = found === undefined ? [] : bundlesIn(found);
    if (!held.every((published) => holdsBundle(published, bundle))) return false;
  }
  for (const name of holders.apiServices) {
    const apiVersion = 'apiregistration.k8s.io/v1';
    const found = await client.find({ apiVersion, kind: 'APIService', name }, call);
    if (found !== undefined && !holdsBundle(bundleOfApiService(found), bundle)) return false;
  }
  return true;
}

function bundleOfApiService(apiService: KubernetesObject): string {
  const encoded = stringAt(objectAt(apiService, 'spec'), 'caBundle') ?? '';
  return Buffer.from(encoded, 'base64').toString();
}
