import type { KubernetesObject } from '../src/types/kubernetes.ts';
import { serviceAccount } from './objects.ts';
import type { TestNamespace } from './test-namespace.ts';

/** Creates a pod that nothing runs, with so many restarts of its one container. */
export async function createPod(
  shop: TestNamespace,
  name: string,
  restarts = 0,
): Promise<KubernetesObject> {
  const account = serviceAccount('default');
  // Nobody makes it where no controller manager runs.
  if ((await shop.find(account)) === undefined) await shop.create(account);
  const created = await shop.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: 'web' } },
    spec: { containers: [{ name: 'web', image: 'registry.example.com/web:1' }] },
  });
  await restart(shop, name, restarts);
  return created;
}

/** Says of a pod how often its container has restarted, as a kubelet would. */
export async function restart(shop: TestNamespace, name: string, restarts: number): Promise<void> {
  const container = { name: 'web', image: 'web:1', imageID: '', ready: true, state: {} };
  const status = {
    phase: 'Running',
    containerStatuses: [{ ...container, restartCount: restarts }],
  };
  await shop.client.patch(
    { apiVersion: 'v1', kind: 'Pod', namespace: shop.name, name },
    { type: 'Merge', body: { status }, subresource: 'status' },
    shop.call,
  );
}

/** Removes a pod at once, as its kubelet would in the end. */
export async function removePod(shop: TestNamespace, name: string): Promise<void> {
  const reference = { apiVersion: 'v1', kind: 'Pod', namespace: shop.name, name };
  await shop.client.delete(reference, { gracePeriodSeconds: 0 }, shop.call);
}

/** A Warning event about a pod, as a kubelet writes it, that has happened so often. */
export async function warn(
  shop: TestNamespace,
  pod: KubernetesObject,
  reason: string,
  count = 1,
): Promise<void> {
  const { name, uid } = pod.metadata;
  const now = new Date().toISOString().replace(/\.\d+Z/, 'Z');
  await shop.create({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${reason.toLowerCase()}.${count}` },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: shop.name, name, uid },
    type: 'Warning',
    reason,
    message: 'Back-off restarting failed container',
    count,
    firstTimestamp: now,
    lastTimestamp: now,
    source: { component: 'kubelet' },
  });
}
