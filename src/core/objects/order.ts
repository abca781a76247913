import { groupOf, type Identifiable, referenceTo } from './identity.ts';

/** Kinds that go first, in this order (part A 5.2). */
const first = [
  'CustomResourceDefinition',
  'Namespace',
  'ClusterRole',
  'ClusterClass',
  'RuntimeClass',
  'PriorityClass',
  'StorageClass',
  'VolumeSnapshotClass',
  'IngressClass',
  'GatewayClass',
  'ClusterRoleBinding',
  'ResourceQuota',
  'ServiceAccount',
  'Role',
  'RoleBinding',
  'ConfigMap',
  'Secret',
  'Service',
  'LimitRange',
  'Deployment',
  'StatefulSet',
  'CronJob',
  'PodDisruptionBudget',
];

/** Kinds that go last: each of them can stop the others from being applied. */
const last = ['APIService', 'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

const ranks = new Map<string, number>([
  ...first.map((kind, rank) => [kind, rank] as const),
  ...last.map((kind, rank) => [kind, first.length + 1 + rank] as const),
]);

/** Order of application inside a group: kind rank, then group, kind, namespace and name. */
function compareForApply(one: Identifiable, other: Identifiable): number {
  const left = referenceTo(one);
  const right = referenceTo(other);
  return (
    rankOf(left.kind) - rankOf(right.kind) ||
    compare(groupOf(left.apiVersion), groupOf(right.apiVersion)) ||
    compare(left.kind, right.kind) ||
    compare(left.namespace ?? '', right.namespace ?? '') ||
    compare(left.name, right.name)
  );
}

/** Objects in the order of their deletion: the exact reverse of that of application. */
export function deletionOrder<T extends Identifiable>(objects: readonly T[]): T[] {
  return [...objects].sort((one, other) => {
    const groups = groupIndex(other.kind) - groupIndex(one.kind);
    return groups === 0 ? compareForApply(other, one) : groups;
  });
}

/**
 * The objects of a stage in the groups that are applied one after the other: definitions, namespaces
 * and cluster roles; then classes; then everything else but what other requests are sent through;
 * then that. A group without objects is left out.
 */
export function applyGroups<T extends Identifiable>(objects: readonly T[]): T[][] {
  const groups: [T[], T[], T[], T[]] = [[], [], [], []];
  for (const object of objects) groups[groupIndex(object.kind)].push(object);
  return groups.filter((group) => group.length > 0).map((group) => group.sort(compareForApply));
}

/** Whether the groups behind this one need its objects to be there and usable (part A 5.2). */
export function othersBuildOn(group: readonly Identifiable[]): boolean {
  return group.some(({ kind }) => groupIndex(kind) < 2);
}

function groupIndex(kind: string): 0 | 1 | 2 | 3 {
  if (kind === 'CustomResourceDefinition' || kind === 'Namespace' || kind === 'ClusterRole')
    return 0;
  if (kind.endsWith('Class')) return 1;
  return last.includes(kind) ? 3 : 2;
}

function rankOf(kind: string): number {
  return ranks.get(kind) ?? first.length;
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
