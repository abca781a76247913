import type { Playground } from '../dev/playground.ts';
import { toyDefinition } from './objects.ts';
import { untilObjects } from './watching.ts';

interface Established {
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

/**
 * Defines a kind of toys.example.com for several tests, and waits until it is served. A StageSet that
 * defined it would take it along when it goes.
 */
export async function defineToy({ client, cluster }: Playground, kind: string): Promise<void> {
  const definition = toyDefinition(kind);
  const { apiVersion, metadata } = definition;
  await client.create(definition, {}, { signal: AbortSignal.timeout(30_000) });
  await untilObjects(
    client,
    { apiVersion, kind: definition.kind, fieldSelector: `metadata.name=${metadata.name}` },
    (objects) => {
      const { conditions = [] } = (objects.get(metadata.name)?.['status'] ?? {}) as Established;
      const is = conditions.some(({ type, status }) => type === 'Established' && status === 'True');
      return is ? true : undefined;
    },
  );
  // The server lists an established kind a moment before it serves its objects.
  const signal = AbortSignal.timeout(30_000);
  while ((await cluster.kubectl(['get', metadata.name])).code !== 0) signal.throwIfAborted();
}
