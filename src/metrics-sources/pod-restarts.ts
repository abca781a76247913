import type { KubernetesClient } from '../kubernetes/client.ts';
import { objectAt, objectsAt } from '../kubernetes/shapes.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { RestartCheck } from '../types/stages.ts';
import { fromPods } from './pods.ts';

/**
 * How often the containers of the pods of a check have restarted, init containers included, since
 * each pod was created (part B 3.3). `client` is the stage's account on its cluster, which needs
 * `list` on pods.
 *
 * @throws as {@link fromPods} does.
 */
export async function countRestarts(
  client: KubernetesClient,
  namespace: string,
  { selector }: Pick<RestartCheck, 'selector'>,
  call: CallOptions,
): Promise<number> {
  const counts = await fromPods(
    client,
    { namespace, selector, extent: 'Object' },
    call,
    restartsOf,
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

function restartsOf(pod: KubernetesObject): number {
  const status = objectAt(pod, 'status');
  const containers = ['containerStatuses', 'initContainerStatuses'].flatMap((field) =>
    objectsAt(status, field),
  );
  return containers.reduce((sum, { restartCount }) => {
    const isCount = typeof restartCount === 'number' && restartCount > 0;
    return isCount ? sum + restartCount : sum;
  }, 0);
}
