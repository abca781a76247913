import type { KubernetesObject } from '../../types/kubernetes.ts';
import { isJsonObject } from '../validate/json-object.ts';

/** What every value begins with that SOPS has encrypted. */
const sealedMark = 'ENC[AES256_GCM,';

/** The first of the objects that was encrypted with SOPS, or was made of a file that was. */
export function findSealed(objects: readonly KubernetesObject[]): KubernetesObject | undefined {
  return objects.find(isSealed);
}

function isSealed(object: KubernetesObject): boolean {
  const { kind, apiVersion, data, binaryData } = object;
  if (hasMark(object)) return true;
  if (apiVersion !== 'v1') return false;
  // Generators put whole files there, in base64.
  const encoded = kind === 'Secret' ? data : kind === 'ConfigMap' ? binaryData : undefined;
  return isJsonObject(encoded) && Object.values(encoded).some(hasMarkInside);
}

function hasMark(value: unknown): boolean {
  if (typeof value === 'string') return value.includes(sealedMark);
  if (Array.isArray(value)) return value.some(hasMark);
  return isJsonObject(value) && Object.values(value).some(hasMark);
}

function hasMarkInside(value: unknown): boolean {
  return typeof value === 'string' && Buffer.from(value, 'base64').includes(sealedMark);
}
