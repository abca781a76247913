import { between, type Instant, instant, minutes } from '../core/time.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { Extent } from '../kubernetes/lists.ts';
import { Reflector, type ReflectorEvent, type ReflectorTrouble } from '../kubernetes/reflector.ts';
import { type Indexer, identityOnly, type ObjectStore } from '../kubernetes/store.ts';
import type { CallOptions } from '../kubernetes/transport.ts';

export interface SourceWatchesOptions {
  readonly client: KubernetesClient;
  /** Empty watches the whole cluster; sources in other namespaces are asked for each time. */
  readonly namespaces: readonly string[];
  readonly indexers?: Readonly<Record<string, Indexer>>;
  /** `Metadata` keeps what tells an object and its changes; all of it is kept unless told. */
  readonly as?: Extent;
  readonly onEvent: (event: ReflectorEvent) => void;
  readonly onTrouble: (gvk: string, trouble: ReflectorTrouble | undefined) => void;
  readonly now?: () => Instant;
  /** Most watches at a time. */
  readonly most?: number;
}

/** The API version in a reference is a tenant's text: it must not buy any number of watches. */
const mostWatches = 100;

/** A watch that nobody has asked for in this time makes room for another one. */
const idleAfter = minutes(60);

interface Engaged {
  readonly gvk: string;
  readonly reflector: Reflector;
  usedAt: Instant;
}

/**
 * Watches on the kinds of sources, each from the first reference to it on. A kind that the API server
 * does not serve is not watched, so that it troubles nobody who does not use it; it is asked for
 * again with the next look at the StageSet that names it.
 */
export class SourceWatches {
  readonly #options: SourceWatchesOptions;
  /** The one that nobody has asked for the longest is first. */
  readonly #engaged = new Map<string, Engaged>();
  readonly #stopping = new Set<Promise<void>>();

  constructor(options: SourceWatchesOptions) {
    this.#options = options;
  }

  /**
   * What is known of a kind in a namespace; undefined where the store cannot be relied on: it is not
   * filled yet, its watch is in trouble, or there is none.
   * @throws ApiError with `isNoKindMatch`.
   */
  async storeOf(
    { apiVersion, kind }: { apiVersion: string; kind: string },
    namespace: string,
    call: CallOptions,
  ): Promise<ObjectStore | undefined> {
    const { client, namespaces } = this.#options;
    if (namespaces.length > 0 && !namespaces.includes(namespace)) return undefined;
    const scope = namespaces.length === 0 ? '' : namespace;
    const key = `${apiVersion}/${kind} ${scope}`;
    let reflector = this.#use(key);
    if (reflector === undefined) {
      await client.discovery.mappingFor(apiVersion, kind, call);
      reflector = this.#use(key) ?? this.#engage(key, { apiVersion, kind }, scope);
    }
    const reliable = reflector?.hasSynced === true && reflector.trouble === undefined;
    return reliable ? reflector?.store : undefined;
  }

  async stop(): Promise<void> {
    const reflectors = [...this.#engaged.values()].map(({ reflector }) => reflector);
    await Promise.all([...reflectors.map(async (each) => await each.stop()), ...this.#stopping]);
  }

  #use(key: string): Reflector | undefined {
    const engaged = this.#engaged.get(key);
    if (engaged === undefined) return undefined;
    engaged.usedAt = this.#now();
    this.#engaged.delete(key);
    this.#engaged.set(key, engaged);
    return engaged.reflector;
  }

  #now(): Instant {
    return this.#options.now?.() ?? instant(Date.now());
  }

  /** Whether there is room for one more watch, if need be by the end of one that nobody uses. */
  #hasRoom(): boolean {
    const most = this.#options.most ?? mostWatches;
    const [oldest] = this.#engaged;
    if (this.#engaged.size < most || oldest === undefined) return this.#engaged.size < most;
    const [key, { gvk, reflector, usedAt }] = oldest;
    if (between(usedAt, this.#now()) < idleAfter) return false;
    this.#engaged.delete(key);
    const stopping = reflector.stop().finally(() => {
      this.#stopping.delete(stopping);
      // What troubled a watch that is gone troubles nobody.
      this.#options.onTrouble(gvk, undefined);
    });
    this.#stopping.add(stopping);
    return true;
  }

  #engage(
    key: string,
    kind: { apiVersion: string; kind: string },
    namespace: string,
  ): Reflector | undefined {
    if (!this.#hasRoom()) return undefined;
    const { client, indexers = {}, as = 'Object', onEvent, onTrouble } = this.#options;
    const query = namespace === '' ? { ...kind, as } : { ...kind, namespace, as };
    const gvk = `${kind.apiVersion}/${kind.kind}`;
    const reflector = new Reflector(client, query, {
      indexers,
      ...(as === 'Metadata' ? { transform: identityOnly } : {}),
      onEvent,
      onTrouble: (trouble) => onTrouble(gvk, trouble),
    });
    this.#engaged.set(key, { gvk, reflector, usedAt: this.#now() });
    reflector.start();
    return reflector;
  }
}
