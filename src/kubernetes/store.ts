import type { KubernetesObject } from '../types/kubernetes.ts';

/** Where an object is in its kind: `namespace/name`, or `name` for a cluster-scoped one. */
export function storeKey(namespace: string | undefined, name: string): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

export function storeKeyOf(object: KubernetesObject): string {
  return storeKey(object.metadata.namespace, object.metadata.name);
}

/** The values under which an object is found, such as the names of what it refers to. */
export type Indexer = (object: KubernetesObject) => readonly string[];

/**
 * The objects of one kind as last seen, for reading. It is a copy of what the cluster holds, so its
 * bound is the cluster's; strip what is not read to keep it small.
 */
export interface ObjectStore {
  readonly size: number;
  get(namespace: string | undefined, name: string): KubernetesObject | undefined;
  values(): IterableIterator<KubernetesObject>;
  /** Objects that the named indexer puts under `value`; empty for an unknown index. */
  indexed(index: string, value: string): KubernetesObject[];
}

/** The store with its writing side, for the reflector alone. */
export class WritableStore implements ObjectStore {
  readonly #objects = new Map<string, KubernetesObject>();
  readonly #indexers: Readonly<Record<string, Indexer>>;
  readonly #indexes = new Map<string, Map<string, Set<string>>>();

  constructor(indexers: Readonly<Record<string, Indexer>> = {}) {
    this.#indexers = indexers;
    for (const name of Object.keys(indexers)) this.#indexes.set(name, new Map());
  }

  get size(): number {
    return this.#objects.size;
  }

  get(namespace: string | undefined, name: string): KubernetesObject | undefined {
    return this.#objects.get(storeKey(namespace, name));
  }

  at(key: string): KubernetesObject | undefined {
    return this.#objects.get(key);
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys();
  }

  values(): IterableIterator<KubernetesObject> {
    return this.#objects.values();
  }

  indexed(index: string, value: string): KubernetesObject[] {
    const keys = this.#indexes.get(index)?.get(value);
    if (keys === undefined) return [];
    return [...keys].flatMap((key) => this.#objects.get(key) ?? []);
  }

  /** Puts the object in; returns the one that it replaces. */
  put(object: KubernetesObject): KubernetesObject | undefined {
    const key = storeKeyOf(object);
    const previous = this.remove(key);
    this.#objects.set(key, object);
    for (const [name, indexer] of Object.entries(this.#indexers)) {
      const index = this.#indexes.get(name);
      for (const value of indexer(object)) {
        const keys = index?.get(value);
        if (keys === undefined) index?.set(value, new Set([key]));
        else keys.add(key);
      }
    }
    return previous;
  }

  /** Takes the object out; returns it, or undefined when there was none. */
  remove(key: string): KubernetesObject | undefined {
    const previous = this.#objects.get(key);
    if (previous === undefined) return undefined;
    this.#objects.delete(key);
    for (const [name, indexer] of Object.entries(this.#indexers)) {
      const index = this.#indexes.get(name);
      for (const value of indexer(previous)) {
        const keys = index?.get(value);
        keys?.delete(key);
        if (keys?.size === 0) index?.delete(value);
      }
    }
    return previous;
  }
}

/** The object without `metadata.managedFields`, which is half of its size in memory. */
export function withoutManagedFields(object: KubernetesObject): KubernetesObject {
  delete object.metadata.managedFields;
  return object;
}

/** Of the object only what tells it from others, and when it changed: for watches that only wake. */
export function identityOnly({ apiVersion, kind, metadata }: KubernetesObject): KubernetesObject {
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
  };
}
