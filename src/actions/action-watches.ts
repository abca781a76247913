import { identityOf } from '../core/objects/identity.ts';
import { type Duration, milliseconds, minutes } from '../core/time.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { Reflector, type ReflectorEvent, type ReflectorTrouble } from '../kubernetes/reflector.ts';
import { identityOnly } from '../kubernetes/store.ts';
import type { ObjectReference } from '../types/kubernetes.ts';

export interface ActionWatchesOptions {
  /** Told of a StageSet that should look again at what it waits for. */
  readonly onNews: (key: string) => void;
  /** Watches in all; 500 unless told. */
  readonly mostWatches?: number;
  /** Watches of the StageSets of one namespace; 20 unless told. */
  readonly mostForNamespace?: number;
  /** Shortest time between two news of one StageSet; 500 ms unless told. */
  readonly pause?: Duration;
  /** How long a watch lasts that nobody asks for again; 1 h unless told. */
  readonly lifetime?: Duration;
}

/** What one StageSet waits for. */
interface Wait {
  readonly namespace: string;
  /** What tells its objects from those of another wait. */
  readonly objects: string;
  /** Empty when its objects are not watched. */
  reflectors: readonly Reflector[];
  /** A wait whose watches were refused is not watched any more. */
  refused: boolean;
  expiry?: NodeJS.Timeout;
  /** Runs while news have to wait for their turn. */
  turn?: NodeJS.Timeout;
  /** There were news meanwhile. */
  held: boolean;
}

/**
 * Watches the single objects that actions wait for, each by its name and as the tenant, for as long
 * as the wait lasts, so that its end is seen at once. Either all objects of a wait are watched or
 * none: where a watch is not allowed, or where there is no room, `covers` says so and whoever waits
 * looks at short intervals instead. A broken connection is made again with backoff.
 */
export class ActionWatches {
  readonly #onNews: ActionWatchesOptions['onNews'];
  readonly #limits: Required<Omit<ActionWatchesOptions, 'onNews'>>;
  readonly #waits = new Map<string, Wait>();
  #size = 0;
  readonly #sizes = new Map<string, number>();
  /** Watches that are on their way out. */
  readonly #ending = new Set<Promise<void>>();
  #stopped = false;

  constructor({ onNews, ...limits }: ActionWatchesOptions) {
    this.#onNews = onNews;
    this.#limits = {
      mostWatches: 500,
      mostForNamespace: 20,
      pause: milliseconds(500),
      lifetime: minutes(60),
      ...limits,
    };
  }

  /** Watches that there are. */
  get size(): number {
    return this.#size;
  }

  /**
   * Watches these objects for a StageSet, and none else for it any more; asking again for the same
   * changes nothing, or finds the room that there was not before. Ask at each look.
   *
   * @param key `namespace/name` of the StageSet.
   * @param client acts as the tenant who waits; only that of the first call counts.
   */
  follow(key: string, client: KubernetesClient, objects: readonly ObjectReference[]): void {
    if (this.#stopped) return;
    const distinct = new Map(objects.map((object) => [identityOf(object), object]));
    const names = [...distinct.keys()].sort().join(' ');
    let wait = this.#waits.get(key);
    if (wait?.objects !== names) {
      this.release(key);
      wait = {
        namespace: namespaceOf(key),
        objects: names,
        reflectors: [],
        refused: false,
        held: false,
      };
      this.#waits.set(key, wait);
    }
    if (wait.reflectors.length === 0 && !wait.refused) {
      this.#engage(key, wait, client, [...distinct.values()]);
    }
  }

  /** Whether every change of all that the StageSet waits for is told right now. */
  covers(key: string): boolean {
    const { reflectors = [] } = this.#waits.get(key) ?? {};
    return (
      reflectors.length > 0 &&
      reflectors.every(({ hasSynced, trouble }) => hasSynced && trouble === undefined)
    );
  }

  /** The wait of the StageSet is over. */
  release(key: string): void {
    const wait = this.#waits.get(key);
    if (wait === undefined) return;
    this.#waits.delete(key);
    clearTimeout(wait.turn);
    this.#end(wait);
  }

  /** Ends all watches; resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const key of [...this.#waits.keys()]) this.release(key);
    await Promise.all(this.#ending);
  }

  #engage(
    key: string,
    wait: Wait,
    client: KubernetesClient,
    objects: readonly ObjectReference[],
  ): void {
    const { mostWatches, mostForNamespace, lifetime } = this.#limits;
    // The kind of an object without API version is not served yet.
    if (objects.some(({ apiVersion }) => apiVersion === '')) return;
    if (this.#size + objects.length > mostWatches) return;
    const ofNamespace = this.#sizes.get(wait.namespace) ?? 0;
    if (ofNamespace + objects.length > mostForNamespace) return;
    this.#count(wait.namespace, objects.length);
    wait.reflectors = objects.map(({ apiVersion, kind, namespace, name }) => {
      const query = {
        apiVersion,
        kind,
        ...(namespace === undefined ? {} : { namespace }),
        fieldSelector: `metadata.name=${name.replaceAll(/[\\,=]/g, '\\$&')}`,
        as: 'Metadata',
      } as const;
      return new Reflector(client, query, {
        transform: identityOnly,
        onEvent: (event) => this.#see(key, wait, event),
        onTrouble: (trouble) => this.#troubled(key, wait, trouble),
      });
    });
    for (const reflector of wait.reflectors) reflector.start();
    wait.expiry = setTimeout(() => this.#end(wait), lifetime);
    wait.expiry.unref();
  }

  #count(namespace: string, more: number): void {
    this.#size += more;
    const size = (this.#sizes.get(namespace) ?? 0) + more;
    if (size === 0) this.#sizes.delete(namespace);
    else this.#sizes.set(namespace, size);
  }

  /**
   * What was listed may have changed since the look before the watch: that is news as well, and told
   * once everything is listed.
   */
  #see(key: string, wait: Wait, { type }: ReflectorEvent): void {
    const synced = wait.reflectors.every(({ hasSynced }) => hasSynced);
    if (type === 'Synced' ? synced : synced && wait.reflectors.length > 0) this.#tell(key, wait);
  }

  /** A refusal may be a role that is only just being written; the second one is an answer. */
  #troubled(key: string, wait: Wait, trouble: ReflectorTrouble | undefined): void {
    if (trouble?.kind !== 'Forbidden' || trouble.failures < 2) return;
    wait.refused = true;
    this.#end(wait);
    // Whoever counts on the watch has to look by itself from now on.
    this.#tell(key, wait);
  }

  /** An object that changes all the time is looked at now and then, and once more in the end. */
  #tell(key: string, wait: Wait): void {
    if (this.#waits.get(key) !== wait) return;
    if (wait.turn !== undefined) {
      wait.held = true;
      return;
    }
    wait.turn = setTimeout(() => {
      delete wait.turn;
      if (!wait.held) return;
      wait.held = false;
      this.#tell(key, wait);
    }, this.#limits.pause);
    wait.turn.unref();
    this.#onNews(key);
  }

  #end(wait: Wait): void {
    clearTimeout(wait.expiry);
    const { reflectors } = wait;
    wait.reflectors = [];
    this.#count(wait.namespace, -reflectors.length);
    for (const reflector of reflectors) {
      const ended: Promise<void> = reflector
        .stop()
        .catch(() => undefined)
        .finally(() => this.#ending.delete(ended));
      this.#ending.add(ended);
    }
  }
}

/** Of a key `namespace/name`. */
function namespaceOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}
