import { isNoKindMatch } from '../../src/kubernetes/api-error.ts';
import type { KubernetesObject, ObjectReference } from '../../src/types/kubernetes.ts';

/** What a promise was rejected with. @throws Error when it was not. */
export async function caught(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('This was expected to fail');
}

export function namespace(name: string): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

/** A ConfigMap; `reference` is not enumerable, so it is not sent. */
export function configMap(
  inNamespace: string,
  name: string,
  data: Record<string, string>,
): KubernetesObject & { reference: ObjectReference } {
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: inNamespace },
    data,
  };
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: inNamespace, name };
  return Object.defineProperty(object, 'reference', { value: reference }) as typeof object & {
    reference: ObjectReference;
  };
}

/** A namespaced CRD in toys.example.com that takes any spec. */
export function customResourceDefinition(kind: string, plural: string): KubernetesObject {
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.toys.example.com` },
    spec: {
      group: 'toys.example.com',
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: anything } } },
        },
      ],
    },
  };
}

/** Asks again every 50 ms until it is so; for things of which the API server tells nobody. */
export async function eventually(
  question: () => Promise<boolean> | boolean,
  within = 15_000,
): Promise<void> {
  const end = performance.now() + within;
  while (!(await question())) {
    if (performance.now() > end) throw new Error(`Not so within ${within} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The outcome of `work`, once the API server serves the kind: it takes a moment after its CRD. */
export async function servedSoon<T>(work: () => Promise<T>): Promise<T> {
  let outcome: { value: T } | undefined;
  await eventually(async () => {
    try {
      outcome = { value: await work() };
      return true;
    } catch (error) {
      if (isNoKindMatch(error)) return false;
      throw error;
    }
  });
  if (outcome === undefined) throw new Error('eventually() ended without an outcome');
  return outcome.value;
}
