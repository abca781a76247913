import type { KubernetesClient } from '../src/kubernetes/client.ts';
import type { KubernetesObject } from '../src/types/kubernetes.ts';

const inFlight = 16;

/**
 * What the API server itself can take: a dry-run and then an apply of every object, 16 in flight, and
 * nothing else. Returns seconds. This is the least that any controller needs which validates before
 * it writes.
 */
export async function rawLimit(
  client: KubernetesClient,
  objects: readonly KubernetesObject[],
): Promise<number> {
  const started = performance.now();
  const queue = objects.values();
  const lane = async (): Promise<void> => {
    for (const object of queue) {
      const call = { signal: AbortSignal.timeout(60_000) };
      const options = { fieldManager: 'raw-limit', force: true };
      await client.apply(object, { ...options, dryRun: 'All' }, call);
      await client.apply(object, options, call);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return (performance.now() - started) / 1000;
}
