import { wakingAnnotations } from '../core/annotations.ts';
import {
  dependencyFacts,
  dependencyKeysOf,
  keyOfStageSet,
  type StageSetKey,
} from '../core/gates/dependency-graph.ts';
import { namedAccountOf } from '../core/service-account.ts';
import type { FieldProblem } from '../core/validate/field-problem.ts';
import { parseStageSet } from '../core/validate/schema.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { Reflector, type ReflectorEvent, type ReflectorOptions } from '../kubernetes/reflector.ts';
import { isJsonObject } from '../kubernetes/shapes.ts';
import { storeKeyOf, withoutManagedFields } from '../kubernetes/store.ts';
import type { JsonObject, KubernetesObject } from '../types/kubernetes.ts';
import { type StageSet, stagesApiVersion } from '../types/stages.ts';
import { accountsOf } from './tenants.ts';

/** A StageSet as it is stored, and what its schema says against it. */
export interface ObservedStageSet {
  readonly value: StageSet;
  /** Not empty for an object that was stored before its CRD became stricter. */
  readonly problems: readonly FieldProblem[];
}

/** Index of StageSets by the sources that they name; see `sourceKeysOf`. */
const bySource = 'source';

/** Index of StageSets by the ServiceAccounts that they act as, as `namespace/name`. */
const byAccount = 'account';

/** Index of StageSets that leave their account to the default, by namespace. */
const byDefault = 'default';

/** Index of StageSets by those that they depend on. */
const byDependency = 'dependency';

export interface StageSetsOptions {
  /** Empty follows the whole cluster. */
  readonly namespaces: readonly string[];
  /** The keys under which a StageSet is found when one of its sources changes. */
  readonly sourceKeysOf: (stageSet: StageSet) => readonly string[];
  /** Told of every StageSet that has news: its spec, a waking annotation, its deletion. */
  readonly onNews: (key: string) => void;
  /** Told of every StageSet that others may see changed: its readiness, its version, its going. */
  readonly onDelivery: (key: StageSetKey) => void;
  readonly onTrouble: ReflectorOptions['onTrouble'];
}

/** Follows all StageSets of some namespaces, or of the cluster, and tells which of them have news. */
export class StageSets {
  /** One for each namespace, or one under the empty name for the whole cluster. */
  readonly #reflectors: ReadonlyMap<string, Reflector>;
  readonly #parsed = new WeakMap<KubernetesObject, ObservedStageSet>();

  constructor(client: KubernetesClient, options: StageSetsOptions) {
    const namespaces = options.namespaces.length === 0 ? [''] : options.namespaces;
    this.#reflectors = new Map(
      namespaces.map((namespace) => [namespace, this.#follow(client, namespace, options)]),
    );
  }

  get reflectors(): readonly Reflector[] {
    return [...this.#reflectors.values()];
  }

  /** The StageSet under `namespace/name`, or undefined when there is none. */
  get(key: string): ObservedStageSet | undefined {
    const [namespace = '', name = ''] = key.split('/');
    const reflector = this.#reflectors.get(namespace) ?? this.#reflectors.get('');
    const object = reflector?.store.get(namespace, name);
    return object === undefined ? undefined : this.#parse(object);
  }

  /** Whether there is such a StageSet; where we do not follow them, nobody says that there is none. */
  exists(namespace: string, name: string): boolean {
    return !this.knows(namespace) || this.get(`${namespace}/${name}`) !== undefined;
  }

  /** Keys of the StageSets that name one of these sources. */
  namingSource(sourceKeys: readonly string[]): Set<string> {
    const found = this.reflectors.flatMap(({ store }) =>
      sourceKeys.flatMap((key) => store.indexed(bySource, key)),
    );
    return new Set(found.map(storeKeyOf));
  }

  /** Keys of the StageSets that depend on this one, from whatever namespace. */
  dependingOn(key: StageSetKey): Set<string> {
    const found = this.reflectors.flatMap(({ store }) => store.indexed(byDependency, key));
    return new Set(found.map(storeKeyOf));
  }

  /** Whether any StageSet acts as this ServiceAccount, `namespace/name`. */
  useAccount(account: string): boolean {
    return this.reflectors.some(({ store }) => store.indexed(byAccount, account).length > 0);
  }

  /** Keys of the StageSets that act as this ServiceAccount because they name it. */
  actingAs(account: string): Set<string> {
    const found = this.reflectors.flatMap(({ store }) => store.indexed(byAccount, account));
    return new Set(found.map(storeKeyOf));
  }

  /** Keys of the StageSets of a namespace that act as its default account. */
  actingByDefault(namespace: string): Set<string> {
    const found = this.reflectors.flatMap(({ store }) => store.indexed(byDefault, namespace));
    return new Set(found.map(storeKeyOf));
  }

  /** Whether there is something to look at: the StageSets of a namespace have been listed. */
  knows(namespace: string): boolean {
    const reflector = this.#reflectors.get(namespace) ?? this.#reflectors.get('');
    return reflector?.hasSynced === true;
  }

  /** Whether what is known of a namespace can be relied on right now. */
  follows(namespace: string): boolean {
    const reflector = this.#reflectors.get(namespace) ?? this.#reflectors.get('');
    return reflector?.hasSynced === true && reflector.trouble === undefined;
  }

  #follow(
    client: KubernetesClient,
    namespace: string,
    { sourceKeysOf, onNews, onDelivery, onTrouble }: StageSetsOptions,
  ): Reflector {
    const kind = { apiVersion: stagesApiVersion, kind: 'StageSet' };
    return new Reflector(client, namespace === '' ? kind : { ...kind, namespace }, {
      transform: withoutManagedFields,
      indexers: {
        [bySource]: (object) => sourceKeysOf(this.#parse(object).value),
        [byAccount]: (object) => accountsOf(this.#parse(object).value),
        [byDefault]: (object) => defaulting(this.#parse(object).value),
        [byDependency]: (object) => dependencyKeysOf(this.#parse(object).value),
      },
      onEvent: (event) => {
        if (event.type === 'Synced') return;
        if (isNews(event)) onNews(storeKeyOf(event.object));
        if (this.#hasDelivered(event)) onDelivery(keyOfStageSet(event.object));
      },
      ...(onTrouble === undefined ? {} : { onTrouble }),
    });
  }

  /** Our own writes of a status are no news of the StageSet itself, but they are to its dependents. */
  #hasDelivered(event: Exclude<ReflectorEvent, { type: 'Synced' }>): boolean {
    if (event.type !== 'Modified') return true;
    const [before, now] = [event.previous, event.object].map((object) =>
      JSON.stringify(dependencyFacts(this.#parse(object).value)),
    );
    return before !== now;
  }

  #parse(object: KubernetesObject): ObservedStageSet {
    const known = this.#parsed.get(object);
    if (known !== undefined) return known;
    const parsed = parseStageSet(object);
    const observed: ObservedStageSet = parsed.ok
      ? { value: parsed.value, problems: missingSpec(parsed.value) }
      : { value: lenient(object), problems: parsed.problems };
    this.#parsed.set(object, observed);
    return observed;
  }
}

/** The CRD leaves the spec optional at the root, as the API conventions ask; a run needs one. */
function missingSpec({ spec }: StageSet): FieldProblem[] {
  return spec === undefined
    ? [{ path: 'spec', message: 'is required: list at least one stage' }]
    : [];
}

/**
 * Of a StageSet that its schema refuses, what its deletion must know: as whom to delete, and what to
 * keep. No spec at all where even that cannot be read.
 */
function lenient({ metadata, spec }: KubernetesObject): StageSet {
  const bare = { apiVersion: stagesApiVersion, kind: 'StageSet', metadata } as const;
  const stages = isJsonObject(spec) ? spec['stages'] : undefined;
  if (!isJsonObject(spec) || !Array.isArray(stages)) return bare;
  const parsed = parseStageSet({
    ...bare,
    spec: { ...pick(spec, ['serviceAccountName']), stages: stages.map(lenientStage) },
  });
  return parsed.ok ? parsed.value : bare;
}

function lenientStage(stage: unknown): unknown {
  if (!isJsonObject(stage)) return stage;
  return { ...pick(stage, ['name', 'prune', 'serviceAccountName']), sourceRef: { name: 'unread' } };
}

function pick(object: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(
    fields.flatMap((field) => (object[field] === undefined ? [] : [[field, object[field]]])),
  );
}

/** Under what a StageSet is found that names no account for the whole of it. */
function defaulting({ metadata, spec }: StageSet): string[] {
  return namedAccountOf(spec) === undefined ? [metadata.namespace ?? ''] : [];
}

/** Status-only changes are our own; everything a user can ask with is news (part A 2.1). */
function isNews(event: Exclude<ReflectorEvent, { type: 'Synced' }>): boolean {
  if (event.type !== 'Modified') return true;
  const { object, previous } = event;
  if (object.metadata.generation !== previous.metadata.generation) return true;
  if (object.metadata.deletionTimestamp !== previous.metadata.deletionTimestamp) return true;
  return wakingAnnotations.some(
    (key) => object.metadata.annotations?.[key] !== previous.metadata.annotations?.[key],
  );
}
