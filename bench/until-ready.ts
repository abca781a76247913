import { parseStageSet } from '../src/core/validate/schema.ts';
import type { KubernetesClient } from '../src/kubernetes/client.ts';
import { stagesApiVersion } from '../src/types/stages.ts';
import type { Size } from './arguments.ts';

const bound = 15 * 60_000;

/** Resolves when so many StageSets are Ready with every stage at a revision that begins so. */
export async function untilAllReady(
  client: KubernetesClient,
  namespace: string,
  { stageSets }: Size,
  revision: string,
): Promise<void> {
  const signal = AbortSignal.timeout(bound);
  const ready = new Set<string>();
  const query = { apiVersion: stagesApiVersion, kind: 'StageSet', namespace };
  const see = (object: unknown): boolean => {
    const parsed = parseStageSet(object);
    if (!parsed.ok) return false;
    const { metadata, status, spec } = parsed.value;
    const condition = status?.conditions?.find(({ type }) => type === 'Ready');
    const there = status?.stages?.filter(({ appliedRevision = '' }) =>
      appliedRevision.startsWith(`${revision}@`),
    );
    if (condition?.status === 'True' && there?.length === spec?.stages.length)
      ready.add(metadata.name);
    return ready.size === stageSets;
  };
  // A watch ends after some minutes, and a large rollout may take longer.
  while (!signal.aborted) {
    const { items, resourceVersion } = await client.list(query, { signal });
    if (items.some(see)) return;
    for await (const event of client.watch({ ...query, resourceVersion }, { signal })) {
      if (event.type !== 'Bookmark' && see(event.object)) return;
    }
  }
  throw new Error(`only ${ready.size} of ${stageSets} StageSets are Ready after ${bound} ms`);
}
