import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';

const startUp = 1500;

/**
 * Plays the part of nodes and of the deployment controller: a moment after a Deployment was created
 * or changed, its status says that all replicas are up. Runs until `signal` fires.
 */
export async function playKubelet(
  client: KubernetesClient,
  namespace: string,
  signal: AbortSignal,
): Promise<void> {
  const query = { apiVersion: 'apps/v1', kind: 'Deployment', namespace };
  let { resourceVersion } = await client.list(query, { signal });
  while (!signal.aborted) {
    for await (const event of client.watch({ ...query, resourceVersion }, { signal })) {
      if (event.type === 'Bookmark') resourceVersion = event.resourceVersion;
      else if (event.type !== 'Deleted') await comeUp(client, event.object, signal);
    }
  }
}

async function comeUp(
  client: KubernetesClient,
  { apiVersion, kind, metadata, spec, status }: KubernetesObject,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace, generation } = metadata;
  if (observed(status) === generation) return;
  await new Promise((resolve) => setTimeout(resolve, startUp));
  const replicas = replicasOf(spec);
  const now = new Date().toISOString();
  const body = {
    status: {
      observedGeneration: generation,
      replicas,
      updatedReplicas: replicas,
      readyReplicas: replicas,
      availableReplicas: replicas,
      conditions: [
        {
          type: 'Available',
          status: 'True',
          reason: 'MinimumReplicasAvailable',
          message: 'up',
          lastTransitionTime: now,
          lastUpdateTime: now,
        },
        {
          type: 'Progressing',
          status: 'True',
          reason: 'NewReplicaSetAvailable',
          message: 'up',
          lastTransitionTime: now,
          lastUpdateTime: now,
        },
      ],
    },
  };
  const reference = { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
  await client.patch(reference, { type: 'Merge', body, subresource: 'status' }, { signal });
}

function observed(status: unknown): unknown {
  return isRecord(status) ? status['observedGeneration'] : undefined;
}

function replicasOf(spec: unknown): number {
  const replicas = isRecord(spec) ? spec['replicas'] : undefined;
  return typeof replicas === 'number' ? replicas : 1;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
