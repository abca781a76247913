import { isCloudFault } from '../cloud/cloud-error.ts';
import type { ClusterAddress } from '../cloud/cluster-answers.ts';
import type { CloudEndpoints, CloudIdentity } from '../cloud/identity.ts';
import { clusterToken, findCluster, forgetClusterToken } from '../cloud/managed-clusters.ts';
import type { CloudCluster } from '../core/clusters/cluster-config-map.ts';
import { clusterFailed, clusterInvalid } from '../core/clusters/cluster-error.ts';
import { TerminalError } from '../core/errors.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { Identity } from '../kubernetes/identity.ts';
import type { RemoteServer } from '../kubernetes/remote-connection.ts';
import { TokenStore } from '../kubernetes/tokens.ts';
import type { LoginAccount } from './cluster-content.ts';

/** Where a managed cluster is, and how one logs in to it. */
export interface CloudConnection {
  readonly server: RemoteServer;
  readonly identity: Identity;
  /** Where the cloud says that it is now; undefined where the ConfigMap says all of it. */
  readonly findAgain: ((signal: AbortSignal) => Promise<RemoteServer>) | undefined;
}

export interface CloudConnectionOptions {
  /** How errors name the cluster. */
  readonly name: string;
  readonly namespace: string;
  /** Undefined logs in as the controller. */
  readonly account: LoginAccount | undefined;
  /** Acts as the controller; mints the tokens that clouds are shown. */
  readonly own: KubernetesClient;
  readonly clouds: CloudEndpoints;
}

/**
 * The way to a managed cluster. The cloud is asked for what the ConfigMap does not say.
 *
 * @throws TerminalError with reason `InvalidSpec` for annotations or an address that do not fit;
 *   RetryableError when the cloud does not answer or refuses.
 */
export async function reachCloudCluster(
  cluster: CloudCluster,
  { name, namespace, account, own, clouds }: CloudConnectionOptions,
  signal: AbortSignal,
): Promise<CloudConnection> {
  const identity = identityOf(namespace, account, own);
  const login = { identity, endpoints: clouds };
  const find = async (until: AbortSignal): Promise<RemoteServer> =>
    await about(name, async () =>
      chosen(name, cluster, await findCluster(cluster.name, login, until)),
    );
  const { server, ca } = cluster;
  const isKnown = server !== undefined && ca !== undefined;
  return {
    server: isKnown ? { server, ca } : await find(signal),
    findAgain: isKnown ? undefined : find,
    identity: {
      kind: 'Token',
      provider: async (until) =>
        await about(name, async () => (await clusterToken(cluster.name, login, until)).token),
      onUnauthorized: (refused) => forgetClusterToken(cluster.name, clouds, refused),
    },
  };
}

function identityOf(
  namespace: string,
  account: LoginAccount | undefined,
  own: KubernetesClient,
): CloudIdentity {
  if (account === undefined) return { kind: 'Ambient' };
  const { name, annotations } = account;
  return {
    kind: 'Federated',
    serviceAccount: {
      namespace,
      name,
      annotations,
      mintToken: async (audiences, signal) =>
        await new TokenStore(own, { audiences, maxTokens: 1 }).token(namespace, name, signal),
    },
  };
}

/** The address that the ConfigMap names must be one of the cluster's; without one it is the usual one. */
function chosen(
  name: string,
  { server, ca }: CloudCluster,
  found: readonly ClusterAddress[],
): RemoteServer {
  const address =
    server === undefined ? found[0] : found.find((each) => each.server.origin === server.origin);
  if (address === undefined) {
    throw clusterInvalid(
      `${name}: its key address is none of the cluster's (${found.map((each) => each.server.origin).join(', ')}); ` +
        'correct it, or give ca.crt too, so that the cloud is not asked',
    );
  }
  const authority = ca ?? address.ca;
  return { server: address.server, ...(authority === undefined ? {} : { ca: authority }) };
}

/** What a cloud is at fault for is the cluster's fault; what is wrong with an account is the spec's. */
async function about<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (isCloudFault(error)) throw clusterFailed(`${name}: ${error.message}`);
    if (error instanceof TerminalError && error.reason === undefined) {
      throw clusterInvalid(`${name}: ${error.message}`, error);
    }
    throw error;
  }
}
