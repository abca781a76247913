import { setTimeout as after } from 'node:timers/promises';
import { clusterReviewer } from '../src/server/aggregated/reviews.ts';
import type { TestNamespace } from './test-namespace.ts';

/** A rule of a Role, as RBAC has it. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

export const everyVerb = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];

const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' };
const apiGroup = 'rbac.authorization.k8s.io';

/** A ServiceAccount of a namespace. */
export interface Account {
  readonly namespace: string;
  readonly name: string;
}

/** Grants an account rights in a namespace, which need not be its own. */
export async function grant(
  where: TestNamespace,
  { namespace, name: account }: Account,
  rules: readonly Rule[],
  name: string = `${account}-${rules[0]?.resources.join('-') ?? ''}`,
): Promise<void> {
  await where.create({ ...rbac, kind: 'Role', metadata: { name }, rules });
  await where.create({
    ...rbac,
    kind: 'RoleBinding',
    metadata: { name },
    roleRef: { apiGroup, kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
  });
}

/** As `grant`, and waits until the API server goes by it, which is a moment later. */
export async function grantAndSee(
  where: TestNamespace,
  account: Account,
  rules: readonly Rule[],
  name?: string,
): Promise<void> {
  await grant(where, account, rules, name);
  const user = `system:serviceaccount:${account.namespace}:${account.name}`;
  const [rule] = rules;
  const [group, resource, verb] = [rule?.apiGroups[0], rule?.resources[0], rule?.verbs[0]];
  const review = clusterReviewer(where.client);
  const spec = { user, resourceAttributes: { namespace: where.name, group, resource, verb } };
  const { signal } = where.call;
  while ((await review('SubjectAccessReview', spec, signal))['allowed'] !== true) {
    // Nothing tells of it.
    await after(20, undefined, { signal });
  }
}

/** Grants an account rights in the whole cluster. */
export async function grantEverywhere(
  { client, call }: TestNamespace,
  { namespace, name: account }: Account,
  rules: readonly Rule[],
): Promise<void> {
  const name = `${namespace}-${account}-${rules[0]?.resources.join('-') ?? ''}`;
  await client.create({ ...rbac, kind: 'ClusterRole', metadata: { name }, rules }, {}, call);
  const binding = {
    ...rbac,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup, kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
  };
  await client.create(binding, {}, call);
}
