import { objectFailure } from '../apply/failures.ts';
import {
  type DescribedCluster,
  readClusterConfigMap,
} from '../core/clusters/cluster-config-map.ts';
import { aboutCluster, clusterFailed, clusterInvalid } from '../core/clusters/cluster-error.ts';
import { type ClusterReference, describeCluster } from '../core/clusters/cluster-reference.ts';
import { readTenantKubeconfig, type TenantKubeconfig } from '../core/clusters/tenant-kubeconfig.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { isJsonObject } from '../kubernetes/shapes.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { StageSet } from '../types/stages.ts';

/** What describes a cluster, as it is now. */
export interface ClusterContent {
  /** Tells it from what it was before and will be: all that a connection depends on. */
  readonly text: string;
  /**
   * Reads it.
   * @throws TerminalError for what is refused or, with reason `InvalidSpec`, malformed; RetryableError
   *   for a malformed kubeconfig.
   */
  readonly read: () => ClusterDescription;
}

export type ClusterDescription =
  | { readonly kind: 'Kubeconfig'; readonly kubeconfig: TenantKubeconfig }
  | (DescribedCluster & { readonly account?: LoginAccount });

/** The ServiceAccount that logs in at a cloud. */
export interface LoginAccount {
  readonly name: string;
  /** What they say decides who the account is at the cloud. */
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Reads what a reference of a StageSet leads to: the Secret or ConfigMap as the StageSet's account, and
 * where a cloud is logged in to also the ServiceAccount for it, which like its tokens is the
 * controller's to read.
 */
export async function readClusterContent(
  stageSet: StageSet,
  reference: ClusterReference,
  { reader, own }: { reader: KubernetesClient; own: KubernetesClient },
  call: CallOptions,
): Promise<ClusterContent> {
  const name = describeCluster(stageSet, reference);
  const { namespace = '' } = stageSet.metadata;
  const object = { apiVersion: 'v1', kind: reference.kind, namespace, name: reference.name };
  const found = await find(object, reader, call);
  const data = isJsonObject(found?.['data']) ? found['data'] : {};
  if (reference.kind === 'Secret') {
    const text = kubeconfigIn(name, found === undefined ? undefined : data, reference.key);
    const read = (): ClusterDescription =>
      aboutCluster(name, () => ({ kind: 'Kubeconfig', kubeconfig: readTenantKubeconfig(text) }));
    return { text, read };
  }
  if (found === undefined) {
    throw clusterInvalid(`${name} does not exist; create it, or correct spec.kubeConfig`);
  }
  const described = aboutCluster(name, () => readClusterConfigMap(data));
  if (described.kind === 'Generic' || described.serviceAccountName === undefined) {
    return { text: JSON.stringify(data), read: () => described };
  }
  const account = await readAccount(name, namespace, described.serviceAccountName, own, call);
  return {
    text: JSON.stringify([data, account.uid, account.annotations]),
    read: () => ({ ...described, account }),
  };
}

async function find(
  object: { apiVersion: string; kind: string; namespace: string; name: string },
  client: KubernetesClient,
  call: CallOptions,
): Promise<KubernetesObject | undefined> {
  try {
    return await client.find(object, call);
  } catch (error) {
    throw objectFailure(object, error);
  }
}

async function readAccount(
  cluster: string,
  namespace: string,
  name: string,
  own: KubernetesClient,
  call: CallOptions,
): Promise<LoginAccount & { readonly uid: string }> {
  const object = { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name };
  const found = await find(object, own, call);
  if (found === undefined) {
    throw clusterInvalid(
      `${cluster}: its key serviceAccountName names ServiceAccount ${namespace}/${name}, which does ` +
        'not exist; create it, or correct the key',
    );
  }
  const { annotations = {}, uid = '' } = found.metadata;
  return { name, uid, annotations };
}

function kubeconfigIn(
  name: string,
  data: Readonly<Record<string, unknown>> | undefined,
  key: string,
): string {
  if (data === undefined) {
    throw clusterFailed(`${name} does not exist; create it, or correct spec.kubeConfig`);
  }
  const encoded = data[key];
  if (typeof encoded !== 'string' || encoded === '') {
    throw clusterFailed(
      `${name} has no value at the key ${key}; put the kubeconfig there, ` +
        'or name its key in spec.kubeConfig.secretRef.key',
    );
  }
  return Buffer.from(encoded, 'base64').toString('utf8');
}
