import { parseStageSet } from '../../src/core/validate/schema.ts';
import type { Condition } from '../../src/types/kubernetes.ts';
import { type StageSet, stagesApiVersion } from '../../src/types/stages.ts';
import type { Playground } from '../playground.ts';

export interface FollowOptions {
  /** The rollout is over when every stage is ready and the last one is at this revision. */
  readonly revision?: string;
  /** Stop at this reason of Ready instead. */
  readonly until?: string;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Prints what a rollout does while it does it, from the status that anybody can watch. */
export async function followRollout(
  { client }: Playground,
  { revision = '', until, say, signal }: FollowOptions,
): Promise<void> {
  const started = performance.now();
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(120_000)]);
  const seen = new Map<string, string>();
  const query = { apiVersion: stagesApiVersion, kind: 'StageSet', namespace: 'demo' };
  const { items, resourceVersion } = await client.list(query, { signal: bounded });
  const print = (object: unknown): boolean => {
    const parsed = parseStageSet(object);
    if (!parsed.ok) return false;
    const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(5);
    for (const line of newsIn(parsed.value, seen)) say(`${seconds}s  ${line}`);
    return until === undefined
      ? isDone(parsed.value, revision)
      : readyOf(parsed.value)?.reason === until;
  };
  if (items.some(print)) return;
  for await (const event of client.watch({ ...query, resourceVersion }, { signal: bounded })) {
    if (event.type !== 'Bookmark' && print(event.object)) return;
  }
  throw new Error('the watch ended before the rollout did');
}

function newsIn({ status }: StageSet, seen: Map<string, string>): string[] {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const facts = [
    ...(status?.stages ?? []).map(
      ({ name, phase, appliedRevision = '-', entriesCount }) =>
        [
          `stage ${name}`,
          `${name.padEnd(9)} ${(phase ?? '').padEnd(10)} ${appliedRevision.split('@')[0] ?? ''}  ${entriesCount ?? 0} object(s)`,
        ] as const,
    ),
    [
      'Ready',
      `Ready=${ready?.status ?? 'Unknown'}  ${ready?.message ?? 'not looked at yet'}`,
    ] as const,
  ];
  const news = facts.filter(([key, text]) => seen.get(key) !== text);
  for (const [key, text] of news) seen.set(key, text);
  return news.map(([, text]) => text);
}

function readyOf({ status }: StageSet): Condition | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready');
}

function isDone({ metadata, status }: StageSet, revision: string): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const last = status?.stages?.at(-1);
  return (
    ready?.status === 'True' &&
    status?.observedGeneration === metadata.generation &&
    (last?.appliedRevision ?? '').startsWith(revision)
  );
}
