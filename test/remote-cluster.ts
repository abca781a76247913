import { readFile } from 'node:fs/promises';
import { type Cluster, type ClusterOptions, startCluster } from '../dev/cluster/cluster.ts';
import { KubernetesClient } from '../src/kubernetes/client.ts';
import { Connection } from '../src/kubernetes/connection.ts';
import type { CallOptions } from '../src/kubernetes/transport.ts';
import type { KubernetesObject, ObjectReference } from '../src/types/kubernetes.ts';
import { CanaryCage, tellingRemotely } from './canary.ts';
import { reportDeployment } from './deployments.ts';
import type { TestNamespace } from './test-namespace.ts';
import { untilObjects } from './watching.ts';

/** Lets controllers of tests reach clusters on this machine. */
export const allowLocalClusters = '--allowed-cluster-hosts=127.0.0.1';

/** A second throwaway cluster, which knows nothing of StageSets. */
export class RemoteCluster {
  readonly cluster: Cluster;
  /** Acts as cluster admin. */
  readonly client: KubernetesClient;
  readonly #connection: Connection;
  readonly #cage: CanaryCage;

  private constructor(cluster: Cluster, connection: Connection) {
    this.cluster = cluster;
    this.#connection = connection;
    this.client = KubernetesClient.connect(connection, { userAgent: 'remote-cluster' });
    this.#cage = new CanaryCage(this.client, tellingRemotely);
  }

  static async start(options: ClusterOptions = {}): Promise<RemoteCluster> {
    const cluster = await startCluster({ name: 'remote', ...options });
    return new RemoteCluster(cluster, await Connection.open(source(cluster)));
  }

  get call(): CallOptions {
    return { signal: AbortSignal.timeout(30_000) };
  }

  /** A kubeconfig for a user; for the admin unless named. */
  async kubeconfig(user?: string, groups: readonly string[] = []): Promise<string> {
    const { cluster } = this;
    const file =
      user === undefined ? cluster.kubeconfig : await cluster.kubeconfigFor(user, groups);
    return await readFile(file, 'utf8');
  }

  /** A namespace here and in the local cluster, since objects are in that of their StageSet. */
  async join(shop: TestNamespace): Promise<void> {
    const metadata = { name: shop.name };
    await this.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata }, {}, this.call);
  }

  async create(object: KubernetesObject): Promise<void> {
    await this.client.create(object, {}, this.call);
  }

  /** Names of the ConfigMaps that a StageSet made here. */
  async configMapNames({ name: namespace }: TestNamespace): Promise<string[]> {
    const labelSelector = `stages.metio.wtf/namespace=${namespace}`;
    const query = { apiVersion: 'v1', kind: 'ConfigMap', namespace, labelSelector };
    const { items } = await this.client.list(query, this.call);
    return items.map(({ metadata }) => metadata.name).sort();
  }

  /** The object here, once it is as `judge` wants it. */
  async untilObject(
    { apiVersion, kind, namespace, name }: ObjectReference,
    judge: (object: KubernetesObject) => boolean,
  ): Promise<KubernetesObject> {
    const scope = namespace === undefined ? {} : { namespace };
    const query = { apiVersion, kind, ...scope, fieldSelector: `metadata.name=${name}` };
    return await untilObjects(this.client, query, (objects) => {
      const object = objects.get(name);
      return object !== undefined && judge(object) ? object : undefined;
    });
  }

  /** Says of a Deployment what a running cluster would say. */
  async reportDeployment({ name: namespace }: TestNamespace, name: string): Promise<void> {
    await reportDeployment(this.client, namespace, name, 'Available');
  }

  /** @throws Error where a controller left the value of a Secret beside what it delivered. */
  async stop(): Promise<void> {
    const end = this.#cage.close();
    await Promise.allSettled([end]);
    await this.#connection.close();
    await this.cluster.stop();
    await end;
  }
}

function source({ kubeconfig }: Cluster): { kind: 'File'; path: string } {
  return { kind: 'File', path: kubeconfig };
}

/** The Secret that leads to a cluster. */
export function kubeconfigSecret(kubeconfig: string, name = 'paris'): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    stringData: { value: kubeconfig },
  };
}

export const toParis = { kubeConfig: { secretRef: { name: 'paris' } } };

/** The one remote cluster of the tests of a `describe`. */
export function useRemoteCluster(
  options: () => Promise<ClusterOptions> = async () => await Promise.resolve({}),
): () => RemoteCluster {
  let remote: RemoteCluster | undefined;
  before('start a second cluster', async function () {
    this.timeout(120_000);
    remote = await RemoteCluster.start(await options());
  });
  after('stop the second cluster', async () => {
    await remote?.stop();
  });
  return () => {
    if (remote === undefined) throw new Error('This is there only while tests run');
    return remote;
  };
}
