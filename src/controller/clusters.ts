import type { CloudEndpoints } from '../cloud/identity.ts';
import { aboutCluster } from '../core/clusters/cluster-error.ts';
import { clusterReferenceOf, describeCluster } from '../core/clusters/cluster-reference.ts';
import { type Duration, milliseconds, minutes, seconds } from '../core/time.ts';
import { KubernetesClient } from '../kubernetes/client.ts';
import type { Identity } from '../kubernetes/identity.ts';
import type { ConnectorFor } from '../kubernetes/pools.ts';
import { RemoteConnection, type RemoteServer } from '../kubernetes/remote-connection.ts';
import type { TokenStore } from '../kubernetes/tokens.ts';
import type { CallOptions, RequestObservation } from '../kubernetes/transport.ts';
import type { StageSet } from '../types/stages.ts';
import { type ClusterContent, readClusterContent } from './cluster-content.ts';
import { logsInAsController, needsAccount, wayTo } from './cluster-way.ts';
import { accountsOf, ownIdentity, type Tenant } from './tenants.ts';

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
  /** Where the clouds are that managed clusters are of. */
  readonly clouds: CloudEndpoints;
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
  /** Tokens that it is shown; undefined where it is shown others, or none. */
  readonly tokens: TokenStore | undefined;
  /** uids of StageSets whose own account could read the reference. */
  readonly readers: Set<string>;
  /** Who logs in: the controller itself does so for nobody but StageSets that act as it. */
  readonly loginAs: 'Described' | 'Controller';
  readonly whereabouts: Whereabouts | undefined;
}

/** A cluster that a cloud was asked for, which may be somewhere else by now. */
interface Whereabouts {
  readonly found: RemoteServer;
  readonly findAgain: (signal: AbortSignal) => Promise<RemoteServer>;
  /** When it is time to ask again: milliseconds of the process. */
  due: number;
}

/** Who asks for a cluster. */
interface Asked {
  readonly name: string;
  readonly namespace: string;
  readonly actsAsController: boolean;
}

interface Retiring {
  readonly namespace: string;
  readonly timer: NodeJS.Timeout;
}

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

/** How often a cloud is asked where a cluster is that it has found before. */
const askAgainAfter = minutes(15);

const askingTimeout = seconds(30);

/** Longest answer of a remote cluster, bytes: it may be a tenant's own server. */
const longestAnswer = 16 * 1024 * 1024;

/** Longest list of one, all of its pages together, bytes: tens of thousands of objects. */
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
   * API server only, and the cloud of a managed cluster that it does not know yet.
   *
   * @param reader the account of the whole StageSet on the local cluster
   * @throws TerminalError for what is refused or, with reason `InvalidSpec`, for a ConfigMap that is
   *   missing or malformed; DeniedError; RetryableError for a kubeconfig that is.
   */
  async connect(
    stageSet: StageSet,
    reader: Tenant,
    call: CallOptions,
  ): Promise<RemoteCluster | undefined> {
    const reference = clusterReferenceOf(stageSet.spec);
    if (reference === undefined) return undefined;
    const namespace = stageSet.metadata.namespace ?? '';
    const key = JSON.stringify([namespace, reference]);
    let content: ClusterContent;
    try {
      const clients = { reader: reader.client, own: this.#options.client };
      content = await readClusterContent(stageSet, reference, clients, call);
    } catch (error) {
      const known = this.#entries.get(key);
      // While a namespace is deleted, its Secrets and grants may go before what they lead to.
      if (isDeleting(stageSet) && known?.readers.has(uidOf(stageSet)) === true) return known;
      throw error;
    }
    const known = this.#entries.get(key);
    const name = describeCluster(stageSet, reference);
    const asked = { name, namespace, actsAsController: actsAsController(stageSet, reader) };
    const entry =
      known?.content === content.text ? known : await this.#open(key, asked, content, call);
    refuseBorrowing(entry.loginAs, asked);
    this.#lookForMove(entry);
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
    asked: Asked,
    content: ClusterContent,
    call: CallOptions,
  ): Promise<Entry> {
    const { name, namespace } = asked;
    const description = content.read();
    const loginAs = logsInAsController(description) ? 'Controller' : 'Described';
    refuseBorrowing(loginAs, asked);
    const { client: own, tokens, clouds } = this.#options;
    const options = { name, namespace, own, tokens, clouds };
    const way = await wayTo(description, options, call.signal);
    const connection = aboutCluster(name, () => this.#connection(name, way.server));
    const client = this.#client(connection, way.identity);
    this.#made += 1;
    return {
      key,
      namespace,
      content: content.text,
      connection,
      client,
      tokens: way.tokens,
      name,
      id: `${name}#${this.#made}`,
      server: connection.server,
      readers: new Set(),
      loginAs,
      whereabouts:
        way.findAgain === undefined
          ? undefined
          : { found: way.server, findAgain: way.findAgain, due: performance.now() + askAgainAfter },
    };
  }

  /**
   * Has the cloud say again where a cluster is. One that was made anew under its old name is somewhere
   * else; who asks next gets a connection to that. An answer that fails to come changes nothing.
   */
  #lookForMove(entry: Entry): void {
    const { whereabouts } = entry;
    if (whereabouts === undefined || performance.now() < whereabouts.due) return;
    whereabouts.due = performance.now() + askAgainAfter;
    const { found, findAgain } = whereabouts;
    findAgain(AbortSignal.timeout(askingTimeout)).then(
      (now) => {
        const isSame = now.server.href === found.server.href && now.ca === found.ca;
        if (!isSame && this.#entries.get(entry.key) === entry) this.#drop(entry);
      },
      () => undefined,
    );
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
      longestList,
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

/** Whether a StageSet names no account anywhere and has no default one: the single-tenant set-up. */
function actsAsController(stageSet: StageSet, { identity }: Tenant): boolean {
  return identity === ownIdentity && accountsOf(stageSet).length === 0;
}

/** What the controller is at a cloud is nothing to those who are not the controller here. */
function refuseBorrowing(loginAs: Entry['loginAs'], { name, actsAsController }: Asked): void {
  if (loginAs === 'Controller' && !actsAsController) throw needsAccount(name);
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
