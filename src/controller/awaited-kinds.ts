import { type Clock, minutes } from '../core/time.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { Reflector, type ReflectorEvent, type ReflectorTrouble } from '../kubernetes/reflector.ts';
import { identityOnly } from '../kubernetes/store.ts';
import { pause } from '../kubernetes/wait.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';

/** A kind in whatever version. */
export interface GroupKind {
  readonly group: string;
  readonly kind: string;
}

export interface AwaitedKindsOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  /** Told once that an awaited kind is served now. */
  readonly onServed: (kind: GroupKind) => void;
  readonly onTrouble: (trouble: ReflectorTrouble | undefined) => void;
}

/** Kinds are a tenant's text. Those beyond the bound are asked for when their StageSets are. */
const mostAwaited = 1000;

/** An established definition is served a moment later: when to ask, milliseconds after its event. */
const looks = [0, 250, 500, 1000, 2000, 4000];

/** Without a watch on definitions, a kind is asked for again at this age. */
const blindly = minutes(1);

/**
 * Waits for kinds that the API server does not serve yet. CustomResourceDefinitions are watched from
 * the first missing kind on, their metadata only; where that is not permitted, the timers of those
 * who wait remain.
 */
export class AwaitedKinds {
  readonly #options: AwaitedKindsOptions;
  readonly #awaited = new Map<string, GroupKind & { readonly since: number }>();
  readonly #probing = new Map<string, Promise<void>>();
  /** Kinds with another event during their probe, which then begins anew. */
  readonly #again = new Set<string>();
  readonly #stop = new AbortController();
  #definitions: Reflector | undefined;

  constructor(options: AwaitedKindsOptions) {
    this.#options = options;
  }

  /** The kind was asked for just now and is not served. */
  add(kind: GroupKind): void {
    if (this.#stop.signal.aborted) return;
    const key = keyOf(kind);
    if (!this.#awaited.has(key) && this.#awaited.size >= mostAwaited) return;
    this.#awaited.set(key, { ...kind, since: this.#options.clock() });
    this.#definitions ??= this.#watchDefinitions();
  }

  /** Whether asking for the kind can be left to the watch on definitions. */
  has(kind: GroupKind): boolean {
    const awaited = this.#awaited.get(keyOf(kind));
    if (awaited === undefined) return false;
    const watching =
      this.#definitions?.hasSynced === true && this.#definitions.trouble === undefined;
    return watching || this.#options.clock() - awaited.since < blindly;
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('Nobody waits for a kind any more'));
    await this.#definitions?.stop();
    await Promise.all(this.#probing.values());
  }

  #watchDefinitions(): Reflector {
    const { client, onTrouble } = this.#options;
    const apiVersion = 'apiextensions.k8s.io/v1';
    const query = { apiVersion, kind: 'CustomResourceDefinition', as: 'Metadata' } as const;
    const reflector = new Reflector(client, query, {
      transform: identityOnly,
      onEvent: (event) => this.#see(event),
      onTrouble,
    });
    reflector.start();
    return reflector;
  }

  #see(event: ReflectorEvent): void {
    if (event.type === 'Deleted') return;
    // The first list says nothing of what was served before it; afterwards the names tell.
    const listing = event.type === 'Added' && this.#definitions?.hasSynced !== true;
    if (listing) return;
    const group = event.type === 'Synced' ? undefined : groupOfDefinition(event.object);
    for (const kind of this.#awaited.values()) {
      if (group === undefined || group === kind.group) this.#probe(kind);
    }
  }

  #probe(kind: GroupKind): void {
    const key = keyOf(kind);
    if (this.#probing.has(key)) {
      this.#again.add(key);
      return;
    }
    const probe = this.#untilServed(kind).finally(() => this.#probing.delete(key));
    this.#probing.set(key, probe);
  }

  async #untilServed(kind: GroupKind): Promise<void> {
    const key = keyOf(kind);
    do {
      this.#again.delete(key);
      for (const delay of looks) {
        if (!(await this.#passes(delay)) || !this.#awaited.has(key)) return;
        if (!(await this.#isServed(kind))) continue;
        this.#awaited.delete(key);
        this.#options.onServed({ group: kind.group, kind: kind.kind });
        return;
      }
    } while (this.#again.has(key));
  }

  /** Whether the time passes before the end. */
  async #passes(delay: number): Promise<boolean> {
    return await pause(delay, this.#stop.signal).then(
      () => true,
      () => false,
    );
  }

  /** A server that does not answer has not said yes; who waits has a timer as well. */
  async #isServed({ group, kind }: GroupKind): Promise<boolean> {
    try {
      const call = { signal: this.#stop.signal };
      await this.#options.client.discovery.preferredVersion(kind, group, call);
      return true;
    } catch {
      return false;
    }
  }
}

function keyOf({ group, kind }: GroupKind): string {
  return `${group}/${kind}`;
}

/** A definition is called `<plural>.<group>`. */
function groupOfDefinition({ metadata }: KubernetesObject): string {
  return metadata.name.slice(metadata.name.indexOf('.') + 1);
}
