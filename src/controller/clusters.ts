import { objectFailure } from '../apply/failures.ts';
import { readClusterConfigMap } from '../core/clusters/cluster-config-map.ts';
import { aboutCluster, clusterFailed, clusterInvalid } from '../core/clusters/cluster-error.ts';
import {
  type ClusterReference,
  clusterReferenceOf,
  describeCluster,
} from '../core/clusters/cluster-reference.ts';
import { readTenantKubeconfig } from '../core/clusters/tenant-kubeconfig.ts';
import { type Duration, milliseconds, seconds } from '../core/time.ts';
import { KubernetesClient } from '../kubernetes/client.ts';
import type { Identity } from '../kubernetes/identity.ts';
import type { ConnectorFor } from '../kubernetes/pools.ts';
import { RemoteConnection, type RemoteServer } from '../kubernetes/remote-connection.ts';
import { isJsonObject } from '../kubernetes/shapes.ts';
import { audiencesIn } from '../kubernetes/token-audiences.ts';
import { TokenStore } from '../kubernetes/tokens.ts';
import type { CallOptions, RequestObservation } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { StageSet } from '../types/stages.ts';

export interface ClustersOptions extends RemoteAccess {
  /** Acts as the controller on the local cluster; asks for the tokens of the provider `generic`. */
  readonly client: KubernetesClient;
  readonly tokens: TokenStore;
}

/** How remote clusters are reached. */
export interface RemoteAccess {
  /** Opens sockets to addresses that may be reached only. */
  readonly connector: ConnectorFor;
  /** Told of each request to a remote cluster, with its host. */
  readonly observe?: (host: string, observation: RequestObservation) => void;
}

/** A remote cluster that is connected to. */
export interface RemoteCluster {
  /** Acts as the identity of the kubeconfig or of the ConfigMap's ServiceAccount. */
  readonly client: KubernetesClient;
  /** How conditions name it. */
  readonly name: string;
  /** Tells this connection from those before and after it: another one may lead elsewhere. */
  readonly id: string;
  /** Its address. */
  readonly server: string;
}

interface Entry extends RemoteCluster {
  readonly key: string;
  readonly namespace: string;
  readonly content: string;
  readonly connection: RemoteConnection;
  /** Tokens that it logs in with; undefined where a kubeconfig has all that is needed. */
  readonly tokens: TokenStore | undefined;
  /** uids of StageSets whose own account could read the reference. */
  readonly readers: Set<string>;
}

interface Retiring {
  readonly namespace: string;
  readonly timer: NodeJS.Timeout;
}

/** A way to a cluster that was opened, without what it is kept under. */
type Opened = Pick<Entry, 'connection' | 'client' | 'tokens'>;

/** Connections; each has pools and a copy of its cluster's discovery. */
const mostConnections = 200;

/** One tenant must not take the connections of all. */
const mostForNamespace = 20;

/** Of one namespace, those that were replaced and serve what is under way. */
const mostRetiring = 4;

/** StageSets of one connection that are known to have had access to it. */
const mostReaders = 10_000;

/** How long a connection that was replaced serves what is still under way on it. */
const retirement: Duration = seconds(60);

/** Longest answer of a remote cluster, bytes: it may be a tenant's own server. */
const longestAnswer = 16 * 1024 * 1024;

/** Longest list, bytes of all its pages: its server may have no end of them. */
const longestList = 64 * 1024 * 1024;

/**
 * Connections to remote clusters (part A 9.3). What describes a cluster is read anew at each use, as
 * the account of the StageSet and on the local cluster: whoever may not read it any more is out, and
 * an edited Secret counts at once. As long as it says the same, the connection stays.
 */
export class Clusters {
  readonly #options: ClustersOptions;
  /** By reference; the order is that of last use. */
  readonly #entries = new Map<string, Entry>();
  readonly #retiring = new Map<RemoteConnection, Retiring>();
  #made = 0;

  constructor(options: ClustersOptions) {
    this.#options = options;
  }

  /** Connections that are kept, those that were replaced a moment ago included. */
  get size(): number {
    return this.#entries.size + this.#retiring.size;
  }

  /**
   * The remote cluster that the StageSet names; undefined for the local one. It contacts the local
   * API server only.
   *
   * @param reader acts as the account of the StageSet on the local cluster
   * @throws TerminalError for what is refused or, with reason `InvalidSpec`, for a ConfigMap that is
   *   missing or malformed; DeniedError; RetryableError for a kubeconfig that is.
   */
  async connect(
    stageSet: StageSet,
    reader: KubernetesClient,
    call: CallOptions,
  ): Promise<RemoteCluster | undefined> {
    const reference = clusterReferenceOf(stageSet.spec);
    if (reference === undefined) return undefined;
    const namespace = stageSet.metadata.namespace ?? '';
    const key = JSON.stringify([namespace, reference]);
    let content: string;
    try {
      content = await read(stageSet, reference, reader, call);
    } catch (error) {
      const known = this.#entries.get(key);
      // While a namespace is deleted, its Secrets and grants may go before what they lead to.
      if (isDeleting(stageSet) && known?.readers.has(uidOf(stageSet)) === true) return known;
      throw error;
    }
    const known = this.#entries.get(key);
    const entry =
      known?.content === content
        ? known
        : await this.#open(key, stageSet, reference, content, call);
    remember(entry.readers, uidOf(stageSet));
    this.#keep(entry);
    return entry;
  }

  /**
   * Forgets the tokens of a ServiceAccount that is gone. The remote cluster knows it by its name only, and
   * would take them for as long as they last.
   */
  evict(namespace: string, serviceAccount: string): void {
    for (const { tokens } of this.#entries.values()) tokens?.evict(namespace, serviceAccount);
  }

  /** Closes all connections. */
  async stop(): Promise<void> {
    const connections = [
      ...[...this.#entries.values()].map(({ connection }) => connection),
      ...this.#retiring.keys(),
    ];
    for (const { timer } of this.#retiring.values()) clearTimeout(timer);
    this.#entries.clear();
    this.#retiring.clear();
    await Promise.all(connections.map(async (connection) => await connection.close()));
  }

  async #open(
    key: string,
    stageSet: StageSet,
    reference: ClusterReference,
    content: string,
    call: CallOptions,
  ): Promise<Entry> {
    const name = describeCluster(stageSet, reference);
    const namespace = stageSet.metadata.namespace ?? '';
    const opened =
      reference.kind === 'Secret'
        ? this.#byKubeconfig(name, content)
        : await this.#byToken(name, namespace, content, call);
    this.#made += 1;
    const id = `${name}#${this.#made}`;
    const { server } = opened.connection;
    return { ...opened, key, namespace, content, name, id, server, readers: new Set() };
  }

  #byKubeconfig(name: string, content: string): Opened {
    const connection = aboutCluster(name, () =>
      this.#connection(name, readTenantKubeconfig(content)),
    );
    return { connection, client: this.#client(connection), tokens: undefined };
  }

  /**
   * The token is for the remote cluster alone. With the audience of the local API server it would be
   * good here too, and the remote cluster, or whoever poses as it, could use it.
   */
  async #byToken(
    name: string,
    namespace: string,
    content: string,
    call: CallOptions,
  ): Promise<Opened> {
    const { client: own, tokens } = this.#options;
    const cluster = aboutCluster(name, () => readClusterConfigMap(JSON.parse(content)));
    const { serviceAccountName, audiences } = cluster;
    const local = audiencesIn(await tokens.token(namespace, serviceAccountName, call.signal));
    const shared = audiences.find((audience) => local.includes(audience));
    if (shared !== undefined) {
      throw clusterInvalid(
        `${name}: its key audiences has ${shared}, which is the local API server; ` +
          'a token for that never leaves the cluster. Name an audience that only the remote cluster takes',
      );
    }
    const remote = new TokenStore(own, { audiences, maxTokens: 1 });
    const connection = aboutCluster(name, () => this.#connection(name, cluster));
    const client = this.#client(connection, {
      kind: 'Token',
      provider: async (signal) => await remote.token(namespace, serviceAccountName, signal),
      onUnauthorized: (refused) => remote.evict(namespace, serviceAccountName, refused),
    });
    return { connection, client, tokens: remote };
  }

  #connection(cluster: string, server: RemoteServer): RemoteConnection {
    return new RemoteConnection(server, { cluster, connector: this.#options.connector });
  }

  #client(connection: RemoteConnection, identity?: Identity): KubernetesClient {
    const { observe } = this.#options;
    const { host } = new URL(connection.origin);
    const options = {
      discovery: discoveryOptions,
      maxBytes: longestAnswer,
      maxListBytes: longestList,
      ...(observe === undefined
        ? {}
        : { observe: (seen: RequestObservation) => observe(host, seen) }),
    };
    return KubernetesClient.connect(connection, options, identity);
  }

  /** Keeps the connection as the one used last, and lets go of others where there are too many. */
  #keep(entry: Entry): void {
    const before = this.#entries.get(entry.key);
    if (before !== undefined && before !== entry) this.#retire(before);
    this.#entries.delete(entry.key);
    this.#entries.set(entry.key, entry);
    const neighbours = [...this.#entries.values()].filter(
      ({ namespace }) => namespace === entry.namespace,
    );
    const [oldestNeighbour] = neighbours;
    if (neighbours.length > mostForNamespace && oldestNeighbour !== undefined) {
      this.#drop(oldestNeighbour);
    }
    const [oldest] = this.#entries.values();
    if (this.#entries.size > mostConnections && oldest !== undefined) this.#drop(oldest);
  }

  #drop(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#retire(entry);
  }

  #retire({ connection, namespace }: Entry): void {
    const timer = setTimeout(() => this.#close(connection), retirement);
    timer.unref();
    this.#retiring.set(connection, { namespace, timer });
    // Somebody who edits a Secret all the time must not pile connections up, nor end those of others.
    const neighbours = [...this.#retiring].filter(([, other]) => other.namespace === namespace);
    const [first] = neighbours;
    if (neighbours.length <= mostRetiring || first === undefined) return;
    clearTimeout(first[1].timer);
    this.#close(first[0]);
  }

  #close(connection: RemoteConnection): void {
    this.#retiring.delete(connection);
    connection.close().catch(() => undefined);
  }
}

/** A kind that a stage has just defined is served a moment later: ask often enough. */
const discoveryOptions = {
  unknownKindInterval: milliseconds(200),
  timeout: seconds(10),
  // A few times what large clusters have; twenty of them must fit into memory for one tenant.
  most: { bytes: 4 * 1024 * 1024, kinds: 10_000 },
};

/** What a reference says: the kubeconfig, or the `data` of the ConfigMap as JSON. */
async function read(
  stageSet: StageSet,
  reference: ClusterReference,
  reader: KubernetesClient,
  call: CallOptions,
): Promise<string> {
  const name = describeCluster(stageSet, reference);
  const { namespace = '' } = stageSet.metadata;
  const object = { apiVersion: 'v1', kind: reference.kind, namespace, name: reference.name };
  let found: KubernetesObject | undefined;
  try {
    found = await reader.find(object, call);
  } catch (error) {
    throw objectFailure(object, error);
  }
  const data = isJsonObject(found?.['data']) ? found['data'] : {};
  if (reference.kind === 'ConfigMap') {
    if (found !== undefined) return JSON.stringify(data);
    throw clusterInvalid(`${name} does not exist; create it, or correct spec.kubeConfig`);
  }
  if (found === undefined) {
    throw clusterFailed(`${name} does not exist; create it, or correct spec.kubeConfig`);
  }
  const encoded = data[reference.key];
  if (typeof encoded !== 'string' || encoded === '') {
    throw clusterFailed(
      `${name} has no value at the key ${reference.key}; put the kubeconfig there, ` +
        'or name its key in spec.kubeConfig.secretRef.key',
    );
  }
  return Buffer.from(encoded, 'base64').toString('utf8');
}

function remember(readers: Set<string>, uid: string): void {
  if (readers.size >= mostReaders) readers.clear();
  readers.add(uid);
}

function uidOf({ metadata }: StageSet): string {
  return metadata.uid ?? '';
}

function isDeleting({ metadata }: StageSet): boolean {
  return metadata.deletionTimestamp !== undefined;
}
