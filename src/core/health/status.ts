import type { KubernetesObject } from '../../types/kubernetes.ts';
import { groupOf } from '../objects/identity.ts';
import type { Instant } from '../time.ts';
import { customResourceDefinitionHealth } from './custom-resource-definition.ts';
import { daemonSetHealth } from './daemon-set.ts';
import { deploymentHealth } from './deployment.ts';
import { existingKinds } from './existing-kinds.ts';
import { type ReadObject, readObject } from './fields.ts';
import { existingHealth, genericHealth, readyConditionHealth } from './generic.ts';
import { jobHealth } from './job.ts';
import type { ObjectHealth } from './object-health.ts';
import { persistentVolumeClaimHealth } from './persistent-volume-claim.ts';
import { podHealth } from './pod.ts';
import { replicaSetHealth } from './replica-set.ts';
import { serviceHealth } from './service.ts';
import { statefulSetHealth } from './stateful-set.ts';

type KindHealth = (object: ReadObject, at: Instant) => ObjectHealth;

const byKind: ReadonlyMap<string, KindHealth> = new Map<string, KindHealth>([
  ['/PersistentVolumeClaim', persistentVolumeClaimHealth],
  ['/Pod', podHealth],
  ['/Service', serviceHealth],
  ['apiextensions.k8s.io/CustomResourceDefinition', customResourceDefinitionHealth],
  ['apps/DaemonSet', daemonSetHealth],
  ['apps/Deployment', deploymentHealth],
  ['apps/ReplicaSet', replicaSetHealth],
  ['apps/StatefulSet', statefulSetHealth],
  ['batch/Job', jobHealth],
  // Observed by its controller is all that it can be, and the generic rules see to that.
  ['policy/PodDisruptionBudget', existingHealth],
  ...[...existingKinds].map((kind) => [kind, existingHealth] as const),
]);

/**
 * The health of a live object by the rules of kstatus (sigs.k8s.io/cli-utils), but that a Job is
 * waited for until it is complete (part A 6.3). `at` is the time of the look.
 *
 * Unknown when the object's status does not have the shape that its kind should have.
 */
export function objectHealth(object: KubernetesObject, at: Instant): ObjectHealth {
  const read = readObject(object);
  if (read === undefined) {
    return { status: 'Unknown', message: 'status.conditions is not a list of conditions' };
  }
  const health = byKind.get(keyOf(object)) ?? readyConditionHealth;
  return genericHealth(read) ?? health(read, at);
}

/**
 * Whether an object of that kind must be read to know its health. False only for built-in kinds
 * without a status, which are Current by existing.
 */
export function healthNeedsRead(kind: Pick<KubernetesObject, 'apiVersion' | 'kind'>): boolean {
  return !existingKinds.has(keyOf(kind));
}

function keyOf({ apiVersion, kind }: Pick<KubernetesObject, 'apiVersion' | 'kind'>): string {
  return `${groupOf(apiVersion)}/${kind}`;
}
