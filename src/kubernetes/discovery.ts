import { RetryableError } from '../core/errors.ts';
import { type Duration, minutes, seconds } from '../core/time.ts';
import type { ObjectReference } from '../types/kubernetes.ts';
import { ApiError, isNotFound, NO_KIND_MATCH } from './api-error.ts';
import { parseBody } from './bodies.ts';
import {
  AGGREGATED_DISCOVERY,
  type DiscoveredGroup,
  type KindTable,
  type ResourceMapping,
  readAggregated,
  readLegacyGroups,
  readResourceList,
  sizeOf,
} from './discovery-documents.ts';
import { groupVersionPath, parseApiVersion } from './paths.ts';
import type { CallOptions, Transport } from './transport.ts';
import { untilAborted } from './wait.ts';

export interface DiscoveryOptions {
  /** Shortest time between two looks for the same unknown kind. Default 1 s. */
  unknownKindInterval?: Duration;
  /** Age at which everything is read again. Default 10 min. */
  maxAge?: Duration;
  /** Bound of each request. Default 30 s. */
  timeout?: Duration;
  /** How much is read and kept of a server that is not trusted. Default: any. */
  most?: DiscoveryBound;
}

/** What one look at everything may come to, and looks for single kinds until the next. */
export interface DiscoveryBound {
  /** Of all documents. */
  readonly bytes: number;
  /** Kinds and versions. */
  readonly kinds: number;
}

const unbounded: DiscoveryBound = {
  bytes: Number.POSITIVE_INFINITY,
  kinds: Number.POSITIVE_INFINITY,
};

/** Bytes that a document counts for besides its own, by the request for it. */
const smallestDocument = 1024;

/** How long old knowledge is good enough after a failure to renew it. */
const RELOAD_INTERVAL = seconds(10);

/** Bound on remembered misses: group versions come from manifests of strangers. */
const MAX_MISSES = 1000;

/**
 * Which resource a kind is, and whether it has a namespace, as this server serves it. Everything is
 * read at once by aggregated discovery and kept; a kind that is not known is looked up in its own
 * group version, so that a CRD applied a moment ago is found.
 */
export class Discovery {
  readonly #transport: Transport;
  readonly #options: Required<DiscoveryOptions>;
  #tables = new Map<string, KindTable>();
  #groups = new Map<string, string[]>();
  #etags = new Map<string, { etag: string; groups: DiscoveredGroup[] }>();
  #loadedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | undefined;
  readonly #lookups = new Map<string, Promise<void>>();
  /** What is left of the bound. */
  #left = unbounded;
  readonly #missedAt = new Map<string, number>();

  constructor(transport: Transport, options: DiscoveryOptions = {}) {
    this.#transport = transport;
    this.#options = {
      unknownKindInterval: seconds(1),
      maxAge: minutes(10),
      timeout: seconds(30),
      most: unbounded,
      ...options,
    };
  }

  /**
   * How objects of this kind are addressed.
   * @throws ApiError with reason `NoKindMatch` when the server does not serve it; TerminalError when
   *   the apiVersion is malformed.
   */
  mappingFor(
    apiVersion: string,
    kind: string,
    call: CallOptions,
  ): ResourceMapping | Promise<ResourceMapping> {
    const known = this.#tables.get(apiVersion)?.get(kind);
    if (known !== undefined && !this.#isStale()) return known;
    return this.#find(apiVersion, kind, call);
  }

  /**
   * The version of `group` that the server prefers among those that serve `kind`.
   * @throws ApiError with reason `NoKindMatch`.
   */
  async preferredVersion(kind: string, group: string, call: CallOptions): Promise<string> {
    await this.#ensureLoaded(call);
    const known = this.#preferred(kind, group);
    if (known !== undefined) return known;
    if (this.#mayLookAgain(`${group}/*`)) {
      this.#loadedAt = Number.NEGATIVE_INFINITY;
      await this.#ensureLoaded(call);
    }
    const found = this.#preferred(kind, group);
    if (found === undefined) throw noKindMatch(group === '' ? 'v1' : `${group}/*`, kind);
    return found;
  }

  /** Waits until it is known what the server serves; a while ago is good enough. */
  async ready(call: CallOptions): Promise<void> {
    await this.#ensureLoaded(call);
  }

  /** Every kind that is served now, in every version. */
  async all(call: CallOptions): Promise<ResourceMapping[]> {
    await this.#ensureLoaded(call);
    return [...this.#tables.values()].flatMap((table) => [...table.values()]);
  }

  /** Forgets a kind whose path turned out not to exist: its CRD is gone or has another scope. */
  forget(mapping: ResourceMapping): void {
    const table = this.#tables.get(mapping.apiVersion);
    if (table?.get(mapping.kind) === mapping) table.delete(mapping.kind);
    this.#missedAt.delete(mapping.apiVersion);
  }

  /**
   * The mapping after another look, at most once a second for each kind: for a request that its scope
   * forbids, since a CRD may have come back with the other scope.
   */
  confirm(mapping: ResourceMapping, call: CallOptions): ResourceMapping | Promise<ResourceMapping> {
    if (!this.#mayLookAgain(`${mapping.apiVersion} ${mapping.kind}`)) return mapping;
    this.forget(mapping);
    return this.#find(mapping.apiVersion, mapping.kind, call);
  }

  async #find(apiVersion: string, kind: string, call: CallOptions): Promise<ResourceMapping> {
    const { group, version } = parseApiVersion(apiVersion);
    await this.#ensureLoaded(call);
    const known = this.#tables.get(apiVersion)?.get(kind);
    if (known !== undefined) return known;
    if (this.#lookups.has(apiVersion) || this.#mayLookAgain(apiVersion)) {
      await untilAborted(
        this.#lookUp(apiVersion, groupVersionPath({ group, version })),
        call.signal,
      );
      const found = this.#tables.get(apiVersion)?.get(kind);
      if (found !== undefined) return found;
    }
    throw noKindMatch(apiVersion, kind);
  }

  #isStale(): boolean {
    return performance.now() - this.#loadedAt > this.#options.maxAge;
  }

  #mayLookAgain(what: string): boolean {
    const now = performance.now();
    const missed = this.#missedAt.get(what);
    if (missed !== undefined && now - missed < this.#options.unknownKindInterval) return false;
    this.#missedAt.delete(what);
    this.#missedAt.set(what, now);
    if (this.#missedAt.size > MAX_MISSES) {
      const [oldest] = this.#missedAt.keys();
      if (oldest !== undefined) this.#missedAt.delete(oldest);
    }
    return true;
  }

  /** One look at a group version, shared by everyone who waits for a kind of it. */
  #lookUp(apiVersion: string, path: string): Promise<void> {
    const running = this.#lookups.get(apiVersion);
    if (running !== undefined) return running;
    const started = this.#readGroupVersion(apiVersion, path).finally(() => {
      this.#lookups.delete(apiVersion);
    });
    this.#lookups.set(apiVersion, started);
    return started;
  }

  async #readGroupVersion(apiVersion: string, path: string): Promise<void> {
    try {
      const document = await this.#read(path);
      const kinds = readResourceList(apiVersion, document.body);
      this.#take({ bytes: 0, kinds: kinds.size });
      this.#tables.set(apiVersion, kinds);
      this.#addVersion(apiVersion);
    } catch (error) {
      if (!isNotFound(error)) {
        // Nothing was learned: whoever looks again must not be told that there is no such kind.
        this.#missedAt.delete(apiVersion);
        throw error;
      }
      this.#tables.delete(apiVersion);
    }
  }

  #addVersion(apiVersion: string): void {
    const { group, version } = parseApiVersion(apiVersion);
    const versions = this.#groups.get(group) ?? [];
    if (!versions.includes(version)) this.#groups.set(group, [...versions, version]);
  }

  #preferred(kind: string, group: string): string | undefined {
    return this.#groups
      .get(group)
      ?.find((version) =>
        this.#tables.get(group === '' ? version : `${group}/${version}`)?.has(kind),
      );
  }

  async #ensureLoaded(call: CallOptions): Promise<void> {
    if (!this.#isStale()) return;
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    try {
      await untilAborted(this.#loading, call.signal);
    } catch (error) {
      if (this.#tables.size === 0 || call.signal.aborted) throw error;
      // What was known a while ago is a better answer than none.
      this.#loadedAt = performance.now() - this.#options.maxAge + RELOAD_INTERVAL;
    }
  }

  async #load(): Promise<void> {
    this.#left = this.#options.most;
    const [core, named] = await Promise.all([this.#loadGroups('/api'), this.#loadGroups('/apis')]);
    this.#take({ bytes: 0, kinds: sizeOf([...core, ...named]) });
    const tables = new Map<string, KindTable>();
    const groups = new Map<string, string[]>();
    for (const { group, versions } of [...core, ...named]) {
      groups.set(
        group,
        versions.map(({ version }) => version),
      );
      for (const { version, kinds } of versions) {
        tables.set(group === '' ? version : `${group}/${version}`, kinds);
      }
    }
    this.#tables = tables;
    this.#groups = groups;
    this.#loadedAt = performance.now();
  }

  async #loadGroups(path: '/api' | '/apis'): Promise<DiscoveredGroup[]> {
    const before = this.#etags.get(path);
    const document = await this.#read(path, before?.etag);
    if (document.status === 304 && before !== undefined) return before.groups;
    const aggregated = readAggregated(document.body);
    if (aggregated !== undefined) {
      if (document.etag !== undefined) {
        this.#etags.set(path, { etag: document.etag, groups: aggregated });
      }
      return aggregated;
    }
    const groups = readLegacyGroups(document.body);
    const requests = groups.reduce((sum, { versions }) => sum + versions.length, 0);
    this.#take({ bytes: requests * smallestDocument, kinds: 0 });
    return Promise.all(
      groups.map(async ({ group, versions }) => ({
        group,
        versions: await Promise.all(
          versions.map(async (version) => ({
            version,
            kinds: await this.#legacyKinds(group, version),
          })),
        ),
      })),
    );
  }

  /** One aggregated server that is down must not hide all the others. */
  async #legacyKinds(group: string, version: string): Promise<KindTable> {
    try {
      const document = await this.#read(groupVersionPath({ group, version }));
      return readResourceList(group === '' ? version : `${group}/${version}`, document.body);
    } catch (error) {
      if (error instanceof ApiError) return new Map();
      throw error;
    }
  }

  /** @throws RetryableError when the server says more about itself than is kept. */
  #take({ bytes, kinds }: DiscoveryBound): void {
    this.#left = { bytes: this.#left.bytes - bytes, kinds: this.#left.kinds - kinds };
    if (this.#left.bytes >= 0 && this.#left.kinds >= 0) return;
    const { most } = this.#options;
    throw new RetryableError(
      `discovery: the server serves more than is looked at: ${most.kinds} kinds in ${most.bytes} bytes`,
      { reason: 'ResponseTooLarge' },
    );
  }

  async #read(
    path: string,
    etag?: string,
  ): Promise<{ status: number; body: unknown; etag: string | undefined }> {
    const answer = await this.#transport.send(
      {
        method: 'GET',
        path,
        accept: AGGREGATED_DISCOVERY,
        idempotence: 'Idempotent',
        ...(etag === undefined ? {} : { headers: { 'if-none-match': etag } }),
      },
      // Shared by several callers: it must not end because the first of them gives up.
      { signal: new AbortController().signal, timeout: this.#options.timeout },
    );
    this.#take({ bytes: answer.body.length + smallestDocument, kinds: 0 });
    const received = answer.headers.etag;
    return {
      status: answer.status,
      body: answer.status === 304 ? undefined : parseBody(answer, path),
      etag: received,
    };
  }
}

function noKindMatch(apiVersion: string, kind: string): ApiError {
  return new ApiError({
    code: 404,
    reason: NO_KIND_MATCH,
    message: `The API server serves no kind ${kind} in ${apiVersion}: is its CustomResourceDefinition installed, and is the apiVersion right?`,
    details: { kind },
  });
}

/** The error for a path that the server does not know although discovery listed it. */
export function noLongerServed(reference: Pick<ObjectReference, 'apiVersion' | 'kind'>): ApiError {
  return noKindMatch(reference.apiVersion, reference.kind);
}
