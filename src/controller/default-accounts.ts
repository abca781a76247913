import { RetryableError, TerminalError } from '../core/errors.ts';
import {
  type DefaultAccount,
  defaultAccountAnnotation,
  defaultAccountOf,
} from '../core/service-account.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { Reflector, type ReflectorEvent, type ReflectorOptions } from '../kubernetes/reflector.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import { deferred, untilAborted } from '../kubernetes/wait.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { isInterruption } from './failure.ts';

/** Says as whom StageSets of a namespace act that name no ServiceAccount. */
export interface AccountDefaults {
  /**
   * The name of the ServiceAccount; undefined for the controller's own identity.
   * @throws TerminalError where the annotation is wrong, RetryableError while it is not known.
   */
  of(namespace: string): string | undefined;
}

export interface DefaultAccountsOptions {
  /** What `--default-service-account` says. */
  readonly flag: string | undefined;
  /** Empty follows the whole cluster. */
  readonly namespaces: readonly string[];
  /** Told of a namespace whose StageSets without an account act as somebody else from now on. */
  readonly onChange: (namespace: string) => void;
  readonly onTrouble: ReflectorOptions['onTrouble'];
}

/** Milliseconds that one watch may be behind another. */
const arrivalBound = 1000;

const mostRead = 1000;

/** Follows the annotations of namespaces, of which only the one about the account is kept. */
export class DefaultAccounts implements AccountDefaults {
  readonly #options: DefaultAccountsOptions;
  /** One for each namespace, or one under the empty name for the whole cluster. */
  readonly #reflectors: ReadonlyMap<string, Reflector>;
  readonly #told = deferred<undefined>();
  /** Those who wait for a namespace, by its name. */
  readonly #arrivals = new Map<string, Set<(arrived: undefined) => void>>();
  readonly #client: KubernetesClient;
  /** Namespaces of which no watch has told yet; at most `mostRead`. */
  readonly #read = new Map<string, KubernetesObject>();

  constructor(client: KubernetesClient, options: DefaultAccountsOptions) {
    this.#options = options;
    this.#client = client;
    const scopes = options.namespaces.length === 0 ? [''] : options.namespaces;
    this.#reflectors = new Map(scopes.map((scope) => [scope, this.#follow(client, scope)]));
  }

  get reflectors(): readonly Reflector[] {
    return [...this.#reflectors.values()];
  }

  of(namespace: string): string | undefined {
    const found = this.#namespace(namespace);
    // Nobody acts as the controller because we do not know better.
    if (found === undefined) {
      throw new RetryableError(
        `the default ServiceAccount of namespace ${namespace} is not known: the controller could not ` +
          'list and watch namespaces; name an account in serviceAccountName, or see that it may',
        { reason: 'StageFailed' },
      );
    }
    return nameOf(defaultAccountOf(found.metadata.annotations, this.#options.flag), namespace);
  }

  /** Whether this is the default account of the namespace. */
  isDefault(namespace: string, name: string): boolean {
    const annotations = this.#namespace(namespace)?.metadata.annotations;
    const account = defaultAccountOf(annotations, this.#options.flag);
    return account.kind === 'Account' && account.name === name;
  }

  /**
   * Waits a moment for a namespace that was created just now: its StageSets may be told of before it
   * is, by another watch. One that no watch tells of, as after an outage, is read.
   * @throws what ended the read, where that says nothing about the namespace.
   */
  async seen(namespace: string, call: CallOptions): Promise<void> {
    if (this.#namespace(namespace) !== undefined) return;
    const reflector = this.#reflectorOf(namespace);
    const isTold = reflector?.hasSynced === true && reflector.trouble === undefined;
    if (isTold) await this.#arrival(namespace, call.signal);
    if (this.#namespace(namespace) === undefined) await this.#readNow(namespace, call);
  }

  async #arrival(namespace: string, signal: AbortSignal): Promise<void> {
    const arrival = deferred<undefined>();
    const arrivals = this.#arrivals.get(namespace) ?? new Set();
    this.#arrivals.set(namespace, arrivals.add(arrival.resolve));
    const timeUp = AbortSignal.any([signal, AbortSignal.timeout(arrivalBound)]);
    await untilAborted(arrival.promise, timeUp).catch(() => undefined);
    arrivals.delete(arrival.resolve);
    if (arrivals.size === 0) this.#arrivals.delete(namespace);
  }

  /** Who may not read it is told so where it matters. */
  async #readNow(namespace: string, call: CallOptions): Promise<void> {
    const reference = { apiVersion: 'v1', kind: 'Namespace', name: namespace };
    try {
      const found = await this.#client.find(reference, call, { as: 'Metadata' });
      if (found === undefined) return;
      this.#read.set(namespace, annotationOnly(found));
      const [oldest] = this.#read.keys();
      if (this.#read.size > mostRead && oldest !== undefined) this.#read.delete(oldest);
    } catch (error) {
      call.signal.throwIfAborted();
      if (isInterruption(error)) throw error;
    }
  }

  /** Resolves when the annotations are known, or when it turned out that they are not to be had. */
  async settled(signal: AbortSignal): Promise<void> {
    await untilAborted(this.#told.promise, signal);
  }

  #reflectorOf(namespace: string): Reflector | undefined {
    return this.#reflectors.get(namespace) ?? this.#reflectors.get('');
  }

  #namespace(name: string): KubernetesObject | undefined {
    return this.#reflectorOf(name)?.store.get(undefined, name) ?? this.#read.get(name);
  }

  #follow(client: KubernetesClient, namespace: string): Reflector {
    const kind = { apiVersion: 'v1', kind: 'Namespace', as: 'Metadata' } as const;
    const query =
      namespace === '' ? kind : { ...kind, fieldSelector: `metadata.name=${namespace}` };
    return new Reflector(client, query, {
      transform: annotationOnly,
      onEvent: (event) => this.#see(event),
      onTrouble: (trouble) => {
        if (trouble !== undefined) this.#told.resolve(undefined);
        this.#options.onTrouble?.(trouble);
      },
    });
  }

  #see(event: ReflectorEvent): void {
    // From now on the watch tells of it.
    if (event.type !== 'Synced') this.#read.delete(event.object.metadata.name);
    const synced = [...this.#reflectors.values()].every(({ hasSynced }) => hasSynced);
    if (event.type === 'Synced') {
      if (synced) this.#told.resolve(undefined);
      return;
    }
    if (event.type === 'Deleted' || !synced) return;
    for (const arrived of this.#arrivals.get(event.object.metadata.name) ?? []) arrived(undefined);
    const before = event.type === 'Modified' ? annotationOf(event.previous) : undefined;
    if (annotationOf(event.object) !== before) this.#options.onChange(event.object.metadata.name);
  }
}

/** The default of one namespace, read now: for a process that follows no namespaces. */
export async function readDefaultAccount(
  client: KubernetesClient,
  namespace: string,
  flag: string | undefined,
  signal: AbortSignal,
): Promise<AccountDefaults> {
  const reference = { apiVersion: 'v1', kind: 'Namespace', name: namespace };
  const found = await client.find(reference, { signal }, { as: 'Metadata' });
  const account = defaultAccountOf(found?.metadata.annotations, flag);
  return { of: () => nameOf(account, namespace) };
}

function nameOf(account: DefaultAccount, namespace: string): string | undefined {
  if (account.kind === 'Controller') return undefined;
  if (account.kind === 'Account') return account.name;
  throw new TerminalError(`${account.message} (namespace ${namespace}); correct it`, {
    reason: 'InvalidSpec',
    object: { apiVersion: 'v1', kind: 'Namespace', name: namespace },
  });
}

function annotationOf({ metadata }: KubernetesObject): string {
  return metadata.annotations?.[defaultAccountAnnotation] ?? '';
}

function annotationOnly(object: KubernetesObject): KubernetesObject {
  const { apiVersion, kind, metadata } = object;
  const { name, uid, resourceVersion } = metadata;
  const account = annotationOf(object);
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(account === '' ? {} : { annotations: { [defaultAccountAnnotation]: account } }),
    },
  };
}
