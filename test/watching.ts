import { RetryableError } from '../src/core/errors.ts';
import type { KubernetesClient } from '../src/kubernetes/client.ts';
import type { ListQuery } from '../src/kubernetes/lists.ts';
import { pause } from '../src/kubernetes/wait.ts';
import type { KubernetesObject } from '../src/types/kubernetes.ts';

/** The objects of a collection by name. */
export type Collection = ReadonlyMap<string, KubernetesObject>;

export interface Patience {
  /** Milliseconds; 30 s unless told. */
  readonly within?: number;
  /** Told of each change, a deletion included, in the order of the API server. */
  readonly onEvent?: (type: 'Added' | 'Modified' | 'Deleted', object: KubernetesObject) => void;
}

/**
 * Watches a collection until `judge` finds what it looks for, and returns that. Where the API server
 * goes away meanwhile it begins anew.
 *
 * @throws Error with what was there last, when the time is over
 */
export async function untilObjects<T>(
  client: KubernetesClient,
  query: ListQuery,
  judge: (objects: Collection) => T | undefined,
  { within = 30_000, onEvent }: Patience = {},
): Promise<T> {
  const signal = AbortSignal.timeout(within);
  const objects = new Map<string, KubernetesObject>();
  for (;;) {
    try {
      const { items, resourceVersion } = await client.list(query, { signal });
      objects.clear();
      for (const item of items) objects.set(item.metadata.name, item);
      const atOnce = judge(objects);
      if (atOnce !== undefined) return atOnce;
      for await (const event of client.watch({ ...query, resourceVersion }, { signal })) {
        if (event.type === 'Bookmark') continue;
        const { object } = event;
        onEvent?.(event.type, object);
        if (event.type === 'Deleted') objects.delete(object.metadata.name);
        else objects.set(object.metadata.name, object);
        const found = judge(objects);
        if (found !== undefined) return found;
      }
    } catch (error) {
      if (signal.aborted) throw new Error(`not so within ${within} ms: ${describe(objects)}`);
      if (!(error instanceof RetryableError)) throw error;
      await pause(100, signal).catch(() => undefined);
    }
  }
}

function describe(objects: Collection): string {
  if (objects.size === 0) return 'there is no such object';
  return [...objects.values()]
    .slice(0, 5)
    .map(({ kind, metadata, status }) => {
      const { name, generation, deletionTimestamp, annotations } = metadata;
      return `\n${kind} ${JSON.stringify({ name, generation, deletionTimestamp, annotations, status })}`;
    })
    .join('');
}

/** Whether the first of two resourceVersions came before the second (KEP-5504). */
export function happenedBefore(one: KubernetesObject, other: KubernetesObject): boolean {
  return BigInt(one.metadata.resourceVersion ?? '') < BigInt(other.metadata.resourceVersion ?? '');
}
