import { RetryableError } from '../core/errors.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { objectAt, stringAt } from '../kubernetes/shapes.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { EventCheck } from '../types/stages.ts';
import { fromPods, wholeList } from './pods.ts';

/** Warning events of the pods of one namespace; they go after an hour. */
const mostEvents = 100_000;

/**
 * How many Warning events with one of the reasons there are about the pods of a check that are there
 * now; repetitions count (part B 3.4). `client` is the stage's account on its cluster, which needs
 * `list` on pods and on events.
 *
 * @throws as {@link fromPods} does; RetryableError for more than 100,000 events.
 */
export async function countEvents(
  client: KubernetesClient,
  namespace: string,
  { selector, reasons }: Pick<EventCheck, 'selector' | 'reasons'>,
  call: CallOptions,
): Promise<number> {
  const pods = { namespace, selector, extent: 'Metadata' } as const;
  const uids = new Set(await fromPods(client, pods, call, ({ metadata }) => metadata.uid));
  if (uids.size === 0) return 0;
  const countOf = (event: KubernetesObject): number => {
    const uid = stringAt(objectAt(event, 'involvedObject'), 'uid');
    const counts = uid !== undefined && uids.has(uid);
    return counts && reasons.includes(stringAt(event, 'reason') ?? '') ? timesOf(event) : 0;
  };
  return await wholeList(() => countPages(client, namespace, call, countOf));
}

/** The API server leaves out what is no warning, and what is about other kinds. */
const fieldSelector = 'type=Warning,involvedObject.kind=Pod';

async function countPages(
  client: KubernetesClient,
  namespace: string,
  call: CallOptions,
  countOf: (event: KubernetesObject) => number,
): Promise<number> {
  const query = { apiVersion: 'v1', kind: 'Event', namespace, fieldSelector };
  let seen = 0;
  let sum = 0;
  for await (const { items } of client.pages(query, call)) {
    for (const event of items) sum += countOf(event);
    seen += items.length;
    if (seen > mostEvents) {
      throw new RetryableError(
        `namespace ${namespace} has more than ${mostEvents} Warning events about pods`,
      );
    }
  }
  return sum;
}

/**
 * How often an event happened. Those of events.k8s.io/v1 count in their series, and leave `count` at
 * zero.
 */
function timesOf(event: KubernetesObject): number {
  const times = [event['count'], objectAt(event, 'series')['count']].filter(
    (count) => typeof count === 'number',
  );
  return Math.max(1, ...times);
}
