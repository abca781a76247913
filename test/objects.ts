import type { KubernetesObject } from '../src/types/kubernetes.ts';

/** Manifests as an artifact has them: without namespace, which the controller fills in. */

export function configMap(name: string, data: Record<string, string> = {}): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
}

/** As many ConfigMaps, `<prefix>-0` onwards. */
export function configMaps(prefix: string, count: number, text = 'as ever'): KubernetesObject[] {
  return Array.from({ length: count }, (_, index) => configMap(`${prefix}-${index}`, { text }));
}

export function serviceAccount(name: string): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } };
}

export function deployment(name: string, image = 'registry.example.com/web:1'): KubernetesObject {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image }] } },
    },
  };
}

/** A namespaced CRD of the group toys.example.com that takes any spec. */
export function toyDefinition(kind: string): KubernetesObject {
  const singular = kind.toLowerCase();
  const plural = `${singular}s`;
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const openAPIV3Schema = { type: 'object', properties: { spec: anything, status: anything } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.toys.example.com` },
    spec: {
      group: 'toys.example.com',
      scope: 'Namespaced',
      names: { kind, plural, singular, listKind: `${kind}List` },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  };
}

export function toy(kind: string, name: string): KubernetesObject {
  return {
    apiVersion: 'toys.example.com/v1',
    kind,
    metadata: { name },
    spec: { colour: 'green' },
  };
}

/** The object with more in its metadata. */
export function withMetadata(
  object: KubernetesObject,
  metadata: Partial<KubernetesObject['metadata']>,
): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, ...metadata } };
}
