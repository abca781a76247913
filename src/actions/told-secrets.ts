import { isJsonObject } from '../kubernetes/shapes.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';

/** Tells the values of a Secret, which the output of a pod may quote; of any other object nothing. */
export function tellSecretsOf(
  { apiVersion, kind, data, stringData }: KubernetesObject,
  onSecretValue: (value: string) => void,
): void {
  if (kind !== 'Secret' || apiVersion !== 'v1') return;
  for (const value of Object.values(isJsonObject(data) ? data : {})) {
    if (typeof value === 'string') onSecretValue(Buffer.from(value, 'base64').toString('utf8'));
  }
  for (const value of Object.values(isJsonObject(stringData) ? stringData : {})) {
    if (typeof value === 'string') onSecretValue(value);
  }
}
