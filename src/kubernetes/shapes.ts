import type { JsonObject, KubernetesObject } from '../types/kubernetes.ts';

/** Whether a value of unknown origin is a JSON object (not an array, not null). */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Characters of each part of an identity, which are kept for long; of a name, 253 are allowed. */
const longestIdentity = 1024;

function isShort(value: unknown): boolean {
  // Some servers write null for what they leave out.
  if (value === undefined || value === null) return true;
  return typeof value === 'string' && value.length <= longestIdentity;
}

/** Whether a JSON value has the identity that every persisted Kubernetes object has. */
export function isKubernetesObject(value: unknown): value is KubernetesObject {
  if (!isJsonObject(value)) return false;
  const { apiVersion, kind, metadata } = value;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return false;
  if (!isJsonObject(metadata) || typeof metadata['name'] !== 'string') return false;
  return identityFields.every((field) => isShort(metadata[field]));
}

const identityFields = ['name', 'namespace', 'uid', 'resourceVersion', 'deletionTimestamp'];

/** The string at `field`, or undefined when it is absent, empty or of another type. */
export function stringAt(object: JsonObject, field: string): string | undefined {
  const value = object[field];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The JSON object at `field`, or an empty one. */
export function objectAt(object: JsonObject, field: string): JsonObject {
  const value = object[field];
  return isJsonObject(value) ? value : {};
}

/** The JSON objects in the array at `field`; anything else in it is left out. */
export function objectsAt(object: JsonObject, field: string): JsonObject[] {
  const value = object[field];
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** The strings in the array at `field`; anything else in it is left out. */
export function stringsAt(object: JsonObject, field: string): string[] {
  const value = object[field];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
