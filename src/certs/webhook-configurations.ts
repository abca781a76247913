import type { ObjectReference } from '../types/kubernetes.ts';

/** Names of the configurations whose webhooks are ours. */
export interface WebhookConfigurations {
  validating: readonly string[];
  mutating: readonly string[];
}

export function referencesOf({ validating, mutating }: WebhookConfigurations): ObjectReference[] {
  const apiVersion = 'admissionregistration.k8s.io/v1';
  return [
    ...validating.map((name) => ({ apiVersion, kind: 'ValidatingWebhookConfiguration', name })),
    ...mutating.map((name) => ({ apiVersion, kind: 'MutatingWebhookConfiguration', name })),
  ];
}
