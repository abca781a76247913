import type { KubernetesClient } from '../src/kubernetes/client.ts';
import type { KubernetesObject } from '../src/types/kubernetes.ts';

/**
 * Writes the status of a Deployment as its controller and the nodes would. `Stuck` is what they say
 * when `progressDeadlineSeconds` are over.
 */
export async function reportDeployment(
  client: KubernetesClient,
  namespace: string,
  name: string,
  state: 'Available' | 'Stuck',
): Promise<KubernetesObject> {
  const call = { signal: AbortSignal.timeout(30_000) };
  const reference = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name };
  const { metadata } = await client.get(reference, call);
  const observedGeneration = metadata.generation;
  const status = state === 'Available' ? available(observedGeneration) : stuck(observedGeneration);
  return await client.patch(
    reference,
    { type: 'Merge', body: { status }, subresource: 'status' },
    call,
  );
}

function available(observedGeneration: number | undefined): object {
  return {
    observedGeneration,
    replicas: 1,
    updatedReplicas: 1,
    readyReplicas: 1,
    availableReplicas: 1,
    unavailableReplicas: null,
    conditions: [
      condition('Available', 'True', 'MinimumReplicasAvailable'),
      condition('Progressing', 'True', 'NewReplicaSetAvailable'),
    ],
  };
}

function stuck(observedGeneration: number | undefined): object {
  return {
    observedGeneration,
    replicas: 1,
    updatedReplicas: 1,
    unavailableReplicas: 1,
    conditions: [
      condition('Available', 'False', 'MinimumReplicasUnavailable'),
      condition('Progressing', 'False', 'ProgressDeadlineExceeded'),
    ],
  };
}

function condition(type: string, status: string, reason: string): object {
  const now = new Date().toISOString();
  return { type, status, reason, message: reason, lastTransitionTime: now, lastUpdateTime: now };
}
