import type { KubernetesObject } from '../src/types/kubernetes.ts';

const group = 'rbac.authorization.k8s.io';

export interface Grant {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** A Role with its binding to the subject; a ClusterRole where there is no namespace. */
export function grant(
  {
    name,
    namespace,
    rules,
  }: { readonly name: string; readonly namespace?: string; readonly rules: readonly Grant[] },
  subject: Readonly<Record<string, string>>,
): KubernetesObject[] {
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
  const kind = namespace === undefined ? 'ClusterRole' : 'Role';
  return [
    { apiVersion: `${group}/v1`, kind, metadata, rules: [...rules] },
    {
      apiVersion: `${group}/v1`,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: group, kind, name },
      subjects: [subject],
    },
  ];
}
