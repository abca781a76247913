import { RetryableError } from '../core/errors.ts';
import { type Duration, type Instant, instant, minutes } from '../core/time.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import {
  ApiError,
  isForbidden,
  isGone,
  isNoKindMatch,
  isTooLarge,
  isUnauthorized,
} from './api-error.ts';
import { type BackoffPolicy, backoffDelay, type Random, REFLECTOR_BACKOFF } from './backoff.ts';
import type { KubernetesClient } from './client.ts';
import type { ListQuery } from './lists.ts';
import {
  type Indexer,
  type ObjectStore,
  storeKeyOf,
  WritableStore,
  withoutManagedFields,
} from './store.ts';
import { deferred, pause, untilAborted } from './wait.ts';

export type ReflectorEvent =
  | { type: 'Added'; object: KubernetesObject }
  | { type: 'Modified'; object: KubernetesObject; previous: KubernetesObject }
  /** The object as last seen: its final state, or an older one when its deletion was missed. */
  | { type: 'Deleted'; object: KubernetesObject }
  /** The first list is in the store. Comes once. */
  | { type: 'Synced' };

/** What stands in the way, for readiness and logs (part B 11.1). */
export interface ReflectorTrouble {
  kind: 'MissingKind' | 'Forbidden' | 'Unauthorized' | 'TooLarge' | 'Other';
  error: unknown;
  /** When this trouble began. */
  since: Instant;
  /** Failures in a row. */
  failures: number;
}

export interface ReflectorOptions {
  /** What is kept of each object. Default: all but managedFields. */
  transform?: (object: KubernetesObject) => KubernetesObject;
  indexers?: Readonly<Record<string, Indexer>>;
  /** Most objects that are kept; more are trouble. Default: as many as there are. */
  mostObjects?: number;
  /** Told of every change, after the store has it. It must not throw. */
  onEvent?: (event: ReflectorEvent) => void;
  /** Told when trouble begins, changes its error, or is over (undefined). */
  onTrouble?: (trouble: ReflectorTrouble | undefined) => void;
  backoff?: BackoffPolicy;
  random?: Random;
  inactivityTimeout?: Duration;
  now?: () => Instant;
}

/** Longest time that a server's Retry-After keeps a watch away. */
const longestAsked = minutes(5);

/** Longest name, uid or resourceVersion where the objects are bounded. */
const longestText = 1024;

/** One page may take a while on a big cluster. */
const LIST_TIMEOUT = minutes(1);

/**
 * Keeps a store equal to what the cluster holds of one kind: a paged list, then watches, each going
 * on where the last one ended. A resourceVersion that is too old starts a new list. It never gives
 * up: a missing CRD, a missing permission or a dead server is tried again and again, 0.8 s to 30 s
 * apart, and told to whoever asks.
 */
export class Reflector {
  readonly query: ListQuery;
  readonly #client: KubernetesClient;
  readonly #options: ReflectorOptions;
  readonly #store: WritableStore;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #synced = false;
  readonly #firstSync = deferred<undefined>();
  #resourceVersion = '';
  #failures = 0;
  #trouble: ReflectorTrouble | undefined;

  constructor(client: KubernetesClient, query: ListQuery, options: ReflectorOptions = {}) {
    this.#client = client;
    this.query = query;
    this.#options = options;
    this.#store = new WritableStore(options.indexers);
  }

  get store(): ObjectStore {
    return this.#store;
  }

  /** Whether the first list is in the store. It stays true through later trouble. */
  get hasSynced(): boolean {
    return this.#synced;
  }

  /** What keeps it from following the cluster right now. */
  get trouble(): ReflectorTrouble | undefined {
    return this.#trouble;
  }

  /** The place in history that the store stands for. */
  get resourceVersion(): string {
    return this.#resourceVersion;
  }

  /** Begins to follow. Calling it again changes nothing. */
  start(): void {
    this.#running ??= this.#follow();
  }

  /** Resolves when the first list is in the store; rejects when `signal` fires first. */
  async synced(signal: AbortSignal): Promise<void> {
    await untilAborted(this.#firstSync.promise, signal);
  }

  /** Ends the watch; resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('The reflector was stopped'));
    await this.#running;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        if (this.#resourceVersion === '') await this.#list(signal);
        await this.#watch(signal);
        continue;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#troubled(error);
        if (this.#mustList(error)) this.#resourceVersion = '';
      }
      const { backoff = REFLECTOR_BACKOFF, random = Math.random } = this.#options;
      const { error } = this.#trouble ?? {};
      // A server may ask for any time, and a timer takes 31 bits: no watch stays away for longer.
      const asked = Math.min(error instanceof ApiError ? (error.retryAfter ?? 0) : 0, longestAsked);
      const delay = Math.max(backoffDelay(backoff, this.#failures, random), asked);
      await pause(delay, signal).catch(() => undefined);
    }
  }

  /**
   * Whether going on from the last resourceVersion cannot work: it is too old, or newer than what a
   * restored server has, or the kind may come back as another one; or it keeps failing.
   */
  #mustList(error: unknown): boolean {
    if (isGone(error) || isNoKindMatch(error)) return true;
    const tooLarge =
      error instanceof ApiError &&
      error.causes.some((cause) => cause.reason === 'ResourceVersionTooLarge');
    return tooLarge || (this.#failures >= 5 && !isForbidden(error) && !isUnauthorized(error));
  }

  async #list(signal: AbortSignal): Promise<void> {
    const before = new Set(this.#store.keys());
    let resourceVersion = '';
    const call = { signal, timeout: LIST_TIMEOUT };
    for await (const page of this.#client.pages(this.query, call)) {
      for (const item of page.items) {
        before.delete(storeKeyOf(item));
        this.#seen(item);
      }
      resourceVersion = page.resourceVersion;
    }
    for (const key of before) this.#gone(key);
    this.#resourceVersion = resourceVersion;
    this.#well();
    if (!this.#synced) {
      this.#synced = true;
      this.#firstSync.resolve(undefined);
      this.#options.onEvent?.({ type: 'Synced' });
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { inactivityTimeout, random } = this.#options;
    const events = this.#client.watch(
      {
        ...this.query,
        resourceVersion: this.#resourceVersion,
        ...(inactivityTimeout === undefined ? {} : { inactivityTimeout }),
        ...(random === undefined ? {} : { random }),
        onOpen: () => this.#well(),
      },
      { signal },
    );
    let received = 0;
    for await (const event of events) {
      if (signal.aborted) return;
      received += 1;
      if (event.type === 'Bookmark') {
        this.#resourceVersion = event.resourceVersion;
        continue;
      }
      if (event.type === 'Deleted') this.#gone(storeKeyOf(event.object), event.object);
      else this.#seen(event.object);
      this.#resourceVersion = event.object.metadata.resourceVersion ?? this.#resourceVersion;
    }
    // An end at once and without an event would make a hot loop.
    if (received === 0) await pause(backoffDelay(REFLECTOR_BACKOFF, 1, Math.random), signal);
  }

  #seen(incoming: KubernetesObject): void {
    const { transform = withoutManagedFields, onEvent } = this.#options;
    const object = transform(incoming);
    const previous = this.#store.put(object);
    this.#refuseTooMany(object);
    if (onEvent === undefined) return;
    if (previous === undefined) {
      onEvent({ type: 'Added', object });
      return;
    }
    if (previous.metadata.uid !== object.metadata.uid) {
      // It was deleted and created anew while we did not look.
      onEvent({ type: 'Deleted', object: previous });
      onEvent({ type: 'Added', object });
      return;
    }
    if (previous.metadata.resourceVersion !== object.metadata.resourceVersion) {
      onEvent({ type: 'Modified', object, previous });
    }
  }

  /** @throws RetryableError with the reason `ResponseTooLarge` */
  #refuseTooMany({ metadata }: KubernetesObject): void {
    const { mostObjects = Number.POSITIVE_INFINITY } = this.#options;
    if (mostObjects === Number.POSITIVE_INFINITY) return;
    const { name, namespace, uid, resourceVersion } = metadata;
    const isSmall = [name, namespace, uid, resourceVersion].every(
      (text = '') => text.length <= longestText,
    );
    if (isSmall && this.#store.size <= mostObjects) return;
    const what = isSmall
      ? `there are more than ${mostObjects} objects`
      : `an object has metadata of more than ${longestText} characters`;
    throw new RetryableError(what, { reason: 'ResponseTooLarge' });
  }

  #gone(key: string, last?: KubernetesObject): void {
    const previous = this.#store.remove(key);
    if (previous === undefined) return;
    const { transform = withoutManagedFields, onEvent } = this.#options;
    onEvent?.({ type: 'Deleted', object: last === undefined ? previous : transform(last) });
  }

  #troubled(error: unknown): void {
    const now = this.#options.now?.() ?? instant(Date.now());
    this.#failures += 1;
    const kind = troubleKind(error);
    const since = this.#trouble?.kind === kind ? this.#trouble.since : now;
    this.#trouble = { kind, error, since, failures: this.#failures };
    this.#options.onTrouble?.(this.#trouble);
  }

  #well(): void {
    this.#failures = 0;
    if (this.#trouble === undefined) return;
    this.#trouble = undefined;
    this.#options.onTrouble?.(undefined);
  }
}

function troubleKind(error: unknown): ReflectorTrouble['kind'] {
  if (isNoKindMatch(error)) return 'MissingKind';
  if (isForbidden(error)) return 'Forbidden';
  if (isTooLarge(error)) return 'TooLarge';
  return isUnauthorized(error) ? 'Unauthorized' : 'Other';
}
