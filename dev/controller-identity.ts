import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Cluster } from './cluster/cluster.ts';

const installation = fileURLToPath(new URL('../apiservice', import.meta.url));

/** Where the installation puts the controller. */
const namespace = 'stageset-system';

/** Members of this group are in a single-tenant cluster: see `singleTenantRights`. */
const singleTenants = 'single-tenant';

/** Kubeconfigs for controllers, by what they may do. */
export interface ControllerIdentities {
  /** The ServiceAccount of the installation, with its roles and nothing else. */
  readonly installed: string;
  /**
   * The same, and what an administrator grants the controller whose StageSets name no ServiceAccount:
   * all that those apply.
   */
  readonly singleTenant: string;
}

/**
 * Installs the roles as an operator would, and lets controllers log in as the account that has them.
 * RBAC knows a ServiceAccount by its username and groups alone, so that a certificate does for it.
 */
export async function installIdentities(cluster: Cluster): Promise<ControllerIdentities> {
  const files = (await readdir(installation)).filter(
    (file) => file.endsWith('-rbac.yaml') || file === 'service-account.yaml',
  );
  const flags = ['namespace.yaml', ...files].flatMap((file) => ['-f', join(installation, file)]);
  await apply(cluster, flags);
  await apply(cluster, ['-f', '-'], singleTenantRights);
  const user = `system:serviceaccount:${namespace}:stageset-controller`;
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
  return {
    installed: await cluster.kubeconfigFor(user, groups),
    singleTenant: await cluster.kubeconfigFor(user, [...groups, singleTenants]),
  };
}

async function apply(cluster: Cluster, flags: readonly string[], input?: string): Promise<void> {
  const args = ['apply', '--server-side', ...flags];
  const { code, stderr } = await cluster.kubectl(args, input === undefined ? {} : { input });
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
}

/**
 * Of the kinds that the StageSets of tests, benchmarks and the demo apply without a ServiceAccount.
 * Nothing of what the controller does for itself is in here: no tokens, events, leases or reviews.
 */
const singleTenantRights = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: single-tenant
rules:
  - apiGroups: ['']
    resources: [configmaps, secrets, services, serviceaccounts, namespaces, pods, events, endpoints,
      limitranges, resourcequotas, replicationcontrollers, persistentvolumes, persistentvolumeclaims]
    verbs: [get, list, watch, create, update, patch, delete]
  - apiGroups: ['']
    resources: [events]
    verbs: [list]
  - apiGroups: [apps, batch, policy, autoscaling, networking.k8s.io, storage.k8s.io,
      scheduling.k8s.io, apiextensions.k8s.io, admissionregistration.k8s.io, apiregistration.k8s.io]
    resources: ['*']
    verbs: [get, list, watch, create, update, patch, delete]
  - apiGroups: [example.com, toys.example.com, build.example.com]
    resources: ['*']
    verbs: ['*']
  - apiGroups: [rbac.authorization.k8s.io]
    resources: ['*']
    verbs: [get, list, watch, create, update, patch, delete, bind, escalate]
  - apiGroups: [stages.metio.wtf]
    resources: [stagesets]
    verbs: [create, update, delete]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: single-tenant
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: single-tenant
subjects:
  - apiGroup: rbac.authorization.k8s.io
    kind: Group
    name: ${singleTenants}
`;
