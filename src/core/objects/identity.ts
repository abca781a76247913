import type { ObjectMeta, ObjectReference } from '../../types/kubernetes.ts';

/** What names an object: the object itself, the same part of it, or a reference. */
export type Identifiable =
  | ObjectReference
  | {
      readonly apiVersion: string;
      readonly kind: string;
      readonly metadata: Pick<ObjectMeta, 'name' | 'namespace'>;
    };

/** API group of an apiVersion; empty for the core group. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash === -1 ? '' : apiVersion.slice(0, slash);
}

/** API version without its group. */
export function versionOf(apiVersion: string): string {
  return apiVersion.slice(apiVersion.indexOf('/') + 1);
}

/** The apiVersion that a group and a version make together. */
export function apiVersionOf(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}

/** A reference to the object; an empty namespace counts as none. */
export function referenceTo(object: Identifiable): ObjectReference {
  const { apiVersion, kind } = object;
  const { name, namespace } = 'metadata' in object ? object.metadata : object;
  return namespace === undefined || namespace === ''
    ? { apiVersion, kind, name }
    : { apiVersion, kind, namespace, name };
}

/**
 * Identity as a text, for maps and comparisons (part A 5.7). The version is no part of it: one object
 * is served in several.
 */
export function identityOf(object: Identifiable): string {
  const { apiVersion, kind, namespace, name } = referenceTo(object);
  return `${namespace ?? ''}_${name}_${groupOf(apiVersion)}_${kind}`;
}

/** Whether two name the same object, in whatever version. */
export function sameObject(one: Identifiable, other: Identifiable): boolean {
  return identityOf(one) === identityOf(other);
}

/** An object's name for people: `Deployment/default/web`, or `ClusterRole/admin`. */
export function describeObject(object: Identifiable): string {
  const { kind, namespace, name } = referenceTo(object);
  return namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}
