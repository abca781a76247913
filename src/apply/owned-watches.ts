import { nameLabel } from '../core/objects/ownership.ts';
import { type Duration, minutes } from '../core/time.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { Reflector, type ReflectorEvent, type ReflectorTrouble } from '../kubernetes/reflector.ts';
import { slimmed } from './sighting.ts';

/** What one stage's objects are watched for and as whom. */
export interface Follower {
  /** `namespace/name` of the StageSet. */
  readonly stageSet: string;
  readonly stage: string;
  /** Username; those who are the same share their watches, and nobody else does. */
  readonly identity: string;
  readonly client: KubernetesClient;
  /** Address of a remote cluster; undefined for the local one. */
  readonly server?: string | undefined;
}

/** A kind in a namespace; without one for a kind that has none. */
export interface OwnedKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
}

export type OwnedEvent = Exclude<ReflectorEvent, { type: 'Synced' }>;

export interface OwnedWatchesOptions {
  /** Whether one watch of this identity may span all namespaces. */
  readonly spansNamespaces: (identity: string) => boolean;
  readonly onEvent: (identity: string, event: OwnedEvent) => void;
  /** Told once for a watch that may not be, or that there is no room for. */
  readonly onUnwatched: (kind: OwnedKind, identity: string, why: string) => void;
  /** Told how many watches there are, whenever that changes. */
  readonly onCount: (watches: number) => void;
  readonly mostWatches?: number;
  readonly mostRemoteObjects?: number;
}

/** Each watch is a connection, here and at the API server. */
const defaultMostWatches = 1000;

/** One tenant must not take the watches of all. */
const mostForNamespace = 200;

/** Objects of one watch: a remote cluster may be a tenant's own server, which tells of any number. */
const mostObjects = 200_000;

/** Objects of all watches on remote clusters for the StageSets of one namespace. */
const mostRemoteObjects = 100_000;

/** How long a watch that was forbidden is not asked for again. */
const refusalLasts: Duration = minutes(10);

/** Everything that is applied carries it (part A 4.8). */
const ownedSelector = nameLabel;

interface OwnedWatch {
  readonly reflector: Reflector;
  readonly stageSets: Set<string>;
  /** Whose objects count for the bound of remote ones; undefined for the local cluster. */
  readonly remoteFor: string | undefined;
}

interface Wanted {
  readonly key: string;
  readonly kind: OwnedKind;
  readonly follower: Follower;
}

/**
 * Watches on the metadata of applied objects, as those who applied them: one for each identity, kind
 * and namespace, shared by all StageSets of the identity, from the first that applies the kind to the
 * last that no longer does. A watch that is not allowed, or for which there is no room, is missing:
 * whoever relies on it looks at intervals instead.
 */
export class OwnedWatches {
  readonly #options: OwnedWatchesOptions;
  readonly #watches = new Map<string, OwnedWatch>();
  /** StageSet -> stage -> what it follows, by key of the watch. */
  readonly #followed = new Map<string, Map<string, ReadonlyMap<string, Wanted>>>();
  /** Watches that were refused, with the monotonic time until which nobody asks again. */
  readonly #refused = new Map<string, number>();
  readonly #names = new Map<string, string>();

  constructor(options: OwnedWatchesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#watches.size;
  }

  /** Follows these kinds for a stage besides those that it follows already. */
  alsoFollow(follower: Follower, kinds: readonly OwnedKind[]): void {
    const before = this.#followed.get(follower.stageSet)?.get(follower.stage) ?? new Map();
    this.#follow(follower, new Map([...before, ...this.#wanted(follower, kinds)]));
  }

  /** Follows these kinds for a stage, and none else any more. */
  followOnly(follower: Follower, kinds: readonly OwnedKind[]): void {
    this.#follow(follower, this.#wanted(follower, kinds));
  }

  /** Ends what stages of the StageSet follow that are not among these. */
  keepStages(stageSet: string, stages: ReadonlySet<string>): void {
    const followed = this.#followed.get(stageSet);
    if (followed === undefined || [...followed.keys()].every((name) => stages.has(name))) return;
    for (const name of [...followed.keys()]) if (!stages.has(name)) followed.delete(name);
    this.#settle(stageSet);
  }

  /** Ends all that the StageSet follows. */
  release(stageSet: string): void {
    if (this.#followed.delete(stageSet)) this.#settle(stageSet);
  }

  /** Whether every change of an object that the identity has applied is told right now. */
  covers(identity: string, kind: OwnedKind): boolean {
    const watch =
      this.#watches.get(keyOf(identity, kind, '')) ??
      this.#watches.get(keyOf(identity, kind, kind.namespace ?? ''));
    return watch?.reflector.hasSynced === true && watch.reflector.trouble === undefined;
  }

  async stop(): Promise<void> {
    const running = [...this.#watches.values()];
    this.#watches.clear();
    this.#followed.clear();
    await Promise.all(running.map(async ({ reflector }) => await reflector.stop()));
  }

  #wanted(follower: Follower, kinds: readonly OwnedKind[]): Map<string, Wanted> {
    const wanted = new Map<string, Wanted>();
    for (const { apiVersion, kind, namespace = '' } of kinds) {
      const place = this.#placeOf(follower.identity, { apiVersion, kind, namespace });
      const key = keyOf(follower.identity, { apiVersion, kind }, place);
      if (wanted.has(key)) continue;
      const scope = place === '' ? {} : { namespace: place };
      wanted.set(key, { key, kind: { apiVersion, kind, ...scope }, follower });
    }
    return wanted;
  }

  /** The namespace of the watch; empty for one of the whole cluster. */
  #placeOf(identity: string, kind: Required<OwnedKind>): string {
    if (!this.#options.spansNamespaces(identity)) return kind.namespace;
    return this.#isRefused(keyOf(identity, kind, '')) ? kind.namespace : '';
  }

  #follow({ stageSet, stage }: Follower, wanted: ReadonlyMap<string, Wanted>): void {
    const stages = this.#followed.get(stageSet) ?? new Map<string, ReadonlyMap<string, Wanted>>();
    stages.set(stage, wanted);
    this.#followed.set(stageSet, stages);
    this.#settle(stageSet);
  }

  /** Starts what the StageSet wants and nobody has started; ends what nobody wants any more. */
  #settle(stageSet: string): void {
    const before = this.#watches.size;
    const wanted = new Map(
      [...(this.#followed.get(stageSet)?.values() ?? [])].flatMap((one) => [...one]),
    );
    for (const [key, watch] of this.#watches) {
      if (wanted.has(key) || !watch.stageSets.delete(stageSet)) continue;
      if (watch.stageSets.size === 0) this.#end(key, watch);
    }
    for (const each of wanted.values()) this.#engage(each, stageSet);
    if (this.#watches.size !== before) this.#options.onCount(this.#watches.size);
  }

  #engage({ key, kind, follower }: Wanted, stageSet: string): void {
    const running = this.#watches.get(key);
    if (running !== undefined) {
      running.stageSets.add(stageSet);
      return;
    }
    if (this.#isRefused(key)) return;
    const { mostWatches = defaultMostWatches, onEvent, onUnwatched } = this.#options;
    const ofNamespace = this.#watchesFor(stageSet);
    if (this.#watches.size >= mostWatches || ofNamespace >= mostForNamespace) {
      const there = this.#watches.size >= mostWatches ? mostWatches : ofNamespace;
      onUnwatched(kind, follower.identity, `there are ${there} watches already`);
      this.#refuse(key);
      return;
    }
    const query = { ...kind, labelSelector: ownedSelector, as: 'Metadata' } as const;
    const reflector: Reflector = new Reflector(follower.client, query, {
      mostObjects,
      transform: (object) => slimmed(object, (name) => this.#intern(name)),
      onEvent: (event) => {
        if (event.type === 'Synced' || this.#watches.get(key)?.reflector !== reflector) return;
        onEvent(follower.identity, event);
        if (event.type === 'Added') this.#boundRemote(key, kind, follower.identity);
      },
      onTrouble: (trouble) => this.#troubled(key, kind, follower.identity, trouble),
    });
    const remoteFor = follower.server === undefined ? undefined : namespaceOf(stageSet);
    this.#watches.set(key, { reflector, stageSets: new Set([stageSet]), remoteFor });
    reflector.start();
  }

  /** Ends the watch that has taken the remote objects of its namespace beyond their bound. */
  #boundRemote(key: string, kind: OwnedKind, identity: string): void {
    const watch = this.#watches.get(key);
    if (watch?.remoteFor === undefined) return;
    const { mostRemoteObjects: most = mostRemoteObjects, onCount, onUnwatched } = this.#options;
    let objects = 0;
    for (const { reflector, remoteFor } of this.#watches.values()) {
      if (remoteFor === watch.remoteFor) objects += reflector.store.size;
    }
    if (objects <= most) return;
    this.#refuse(key);
    this.#end(key, watch);
    onCount(this.#watches.size);
    onUnwatched(kind, identity, `more than ${most} objects of remote clusters are watched`);
  }

  /** Watches that the StageSets of one namespace have begun. */
  #watchesFor(stageSet: string): number {
    const namespace = namespaceOf(stageSet);
    let count = 0;
    for (const { stageSets } of this.#watches.values()) {
      const [first = ''] = stageSets;
      if (namespaceOf(first) === namespace) count += 1;
    }
    return count;
  }

  /** A refusal may be a role that is only just being written; the second one is an answer. */
  #troubled(
    key: string,
    kind: OwnedKind,
    identity: string,
    trouble: ReflectorTrouble | undefined,
  ): void {
    if (trouble === undefined || !isFinal(trouble)) return;
    const watch = this.#watches.get(key);
    if (watch === undefined) return;
    this.#refuse(key);
    this.#end(key, watch);
    this.#options.onCount(this.#watches.size);
    const { error } = trouble;
    this.#options.onUnwatched(kind, identity, error instanceof Error ? error.message : 'forbidden');
  }

  #end(key: string, { reflector }: OwnedWatch): void {
    this.#watches.delete(key);
    // It ends by itself and in its own time; nobody needs to wait for that.
    reflector.stop().catch(() => undefined);
  }

  #isRefused(key: string): boolean {
    const until = this.#refused.get(key);
    if (until === undefined) return false;
    if (performance.now() < until) return true;
    this.#refused.delete(key);
    return false;
  }

  #refuse(key: string): void {
    this.#refused.set(key, performance.now() + refusalLasts);
    const [oldest] = this.#refused.keys();
    if (this.#refused.size > 10_000 && oldest !== undefined) this.#refused.delete(oldest);
  }

  /** One text for all objects of a StageSet. Labels are tenants' texts: it starts over when full. */
  #intern(name: string): string {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    if (this.#names.size >= 10_000) this.#names.clear();
    this.#names.set(name, name);
    return name;
  }
}

function isFinal({ kind, failures }: ReflectorTrouble): boolean {
  return kind === 'TooLarge' || (kind === 'Forbidden' && failures >= 2);
}

function keyOf(
  identity: string,
  { apiVersion, kind }: Pick<OwnedKind, 'apiVersion' | 'kind'>,
  place: string,
): string {
  return `${identity}|${apiVersion}|${kind}|${place}`;
}

/** Of a key `namespace/name`. */
function namespaceOf(stageSet: string): string {
  return stageSet.slice(0, stageSet.indexOf('/'));
}
