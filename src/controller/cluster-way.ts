import type { CloudEndpoints } from '../cloud/identity.ts';
import type { GenericCluster } from '../core/clusters/cluster-config-map.ts';
import { clusterFailed, clusterInvalid } from '../core/clusters/cluster-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { Identity } from '../kubernetes/identity.ts';
import type { RemoteServer } from '../kubernetes/remote-connection.ts';
import { audiencesIn } from '../kubernetes/token-audiences.ts';
import { TokenStore } from '../kubernetes/tokens.ts';
import { reachCloudCluster } from './cloud-cluster.ts';
import type { ClusterDescription } from './cluster-content.ts';

/** Where a remote cluster is, and as whom it is logged in to. */
export interface ClusterWay {
  readonly server: RemoteServer;
  /** Undefined for what the kubeconfig has. */
  readonly identity?: Identity;
  /** Tokens that the remote cluster is shown as they are. */
  readonly tokens?: TokenStore;
  /** Where a cloud that was asked says that it is now. */
  readonly findAgain?: (signal: AbortSignal) => Promise<RemoteServer>;
}

export interface ClusterWayOptions {
  /** How errors name the cluster. */
  readonly name: string;
  readonly namespace: string;
  /** Acts as the controller on the local cluster. */
  readonly own: KubernetesClient;
  /** Tokens for the local cluster. */
  readonly tokens: TokenStore;
  readonly clouds: CloudEndpoints;
}

/**
 * Whether it is the controller itself that would log in, with what its pod has at the cloud. That is for
 * StageSets that act as the controller here, too, and for nobody else (part A 9.3; Flux does it for all).
 */
export function logsInAsController(description: ClusterDescription): boolean {
  return description.kind === 'Cloud' && description.account === undefined;
}

/** The refusal of a login as the controller. */
export function needsAccount(name: string): Error {
  return clusterInvalid(
    `${name}: its key serviceAccountName is missing; name the ServiceAccount to log in with. The ` +
      "controller's own identity at the cloud is for StageSets that act as the controller only",
  );
}

/** The way that a description leads. @throws as `Clusters.connect` does */
export async function wayTo(
  description: ClusterDescription,
  options: ClusterWayOptions,
  signal: AbortSignal,
): Promise<ClusterWay> {
  switch (description.kind) {
    case 'Kubeconfig':
      return { server: description.kubeconfig };
    case 'Generic':
      return await wayByToken(description, options, signal);
    case 'Cloud': {
      const { server, identity, findAgain } = await reachCloudCluster(
        description,
        { ...options, account: description.account },
        signal,
      );
      return { server, identity, ...(findAgain === undefined ? {} : { findAgain }) };
    }
  }
}

/**
 * The token is for the remote cluster alone. With the audience of the local API server it would be
 * good here too, and the remote cluster, or whoever poses as it, could use it.
 */
async function wayByToken(
  cluster: GenericCluster,
  { name, namespace, own, tokens }: ClusterWayOptions,
  signal: AbortSignal,
): Promise<ClusterWay> {
  const { serviceAccountName, audiences } = cluster;
  const local = audiencesIn(await tokens.token(namespace, serviceAccountName, signal));
  if (local.length === 0) {
    throw clusterFailed(
      `${name}: tokens of the local API server do not say whom they are for, so that none is sent elsewhere; ` +
        'use a kubeconfig by secretRef',
    );
  }
  const shared = audiences.find((audience) => local.includes(audience));
  if (shared !== undefined) {
    throw clusterInvalid(
      `${name}: its key audiences has ${shared}, which is the local API server; ` +
        'a token for that never leaves the cluster. Name an audience that only the remote cluster takes',
    );
  }
  const store = new TokenStore(own, { audiences, maxTokens: 1 });
  const { server, ca } = cluster;
  return {
    server: { server, ...(ca === undefined ? {} : { ca }) },
    tokens: store,
    identity: {
      kind: 'Token',
      provider: async (until) => await store.token(namespace, serviceAccountName, until),
      onUnauthorized: (refused) => store.evict(namespace, serviceAccountName, refused),
    },
  };
}
