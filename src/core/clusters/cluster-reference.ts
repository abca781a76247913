import type { StageSet, StageSetSpec } from '../../types/stages.ts';

/** Where the way to a StageSet's remote cluster is written down, in the StageSet's namespace. */
export type ClusterReference =
  | { readonly kind: 'Secret'; readonly name: string; readonly key: string }
  | { readonly kind: 'ConfigMap'; readonly name: string };

/** Key of the kubeconfig in its Secret (part A 9.3). */
const defaultKey = 'value';

/** The remote cluster that a spec names; undefined for the local one. */
export function clusterReferenceOf(spec: StageSetSpec | undefined): ClusterReference | undefined {
  const { secretRef, configMapRef } = spec?.kubeConfig ?? {};
  if (configMapRef !== undefined) return { kind: 'ConfigMap', name: configMapRef.name };
  if (secretRef === undefined) return undefined;
  const { name, key = '' } = secretRef;
  return { kind: 'Secret', name, key: key === '' ? defaultKey : key };
}

/** How a condition names the cluster: `Secret shop/paris`. Never its address or credentials. */
export function describeCluster({ metadata }: StageSet, { kind, name }: ClusterReference): string {
  return `${kind} ${metadata.namespace ?? ''}/${name}`;
}
