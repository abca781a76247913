import { stagesApiVersion } from '../src/types/stages.ts';
import { configMap } from './objects.ts';
import type { Stand } from './playground.ts';
import type { TestNamespace } from './test-namespace.ts';

export const stageSets = { apiVersion: stagesApiVersion, kind: 'StageSet' };

/** Milliseconds that a StageSet took to be Ready, alone and beside the crowd of somebody else. */
export interface Times {
  readonly alone: number[];
  readonly beside: number[];
}

/** Milliseconds by which a busy machine may delay one of some ten requests in a row, and does at times. */
const noise = 40;

/** Milliseconds from the creation of a StageSet of two stages, in a namespace of its own, to its being Ready. */
export async function timeToReady(stand: Stand): Promise<number> {
  const shop = await stand.namespace();
  await shop.publish('one', 'v1', [configMap('one')]);
  await shop.publish('two', 'v1', [configMap('two')]);
  const begun = performance.now();
  await shop.createStageSet(['one', 'two']);
  await shop.untilReady('v1');
  return performance.now() - begun;
}

/** So many measurements, one after the other. */
export async function timesToReady(stand: Stand, tries: number): Promise<number[]> {
  const times: number[] = [];
  while (times.length < tries) times.push(await timeToReady(stand));
  return times;
}

/**
 * Says how the times compare, and fails where a StageSet took more than twice as long beside the others.
 * Medians are compared, of measurements that took turns where they could, since the machine may have
 * other work at any moment; `noise` is beyond what turns even out.
 */
export function expectFair(what: string, { alone, beside }: Times): void {
  const [one, other] = [median(alone), median(beside)];
  const ratio = (other / one).toFixed(2);
  const figures = `alone ${one.toFixed(0)} ms, ${what} ${other.toFixed(0)} ms`;
  process.stdout.write(`      ${figures}: ratio ${ratio}\n`);
  if (other > 2 * one + noise) {
    const all = `alone ${list(alone)}; beside ${list(beside)}`;
    throw new Error(`${figures}: ratio ${ratio}, more than twice as long (${all})`);
  }
}

export function median(times: readonly number[]): number {
  const sorted = [...times].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted[middle] ?? Number.NaN;
}

function list(times: readonly number[]): string {
  return times.map((time) => time.toFixed(0)).join(' ');
}

/** Creates StageSets of one stage named `crowd-0` and so on, whose name is a variable of it, ten at a time. */
export async function createCrowd(
  shop: TestNamespace,
  count: number,
  sourceOf: (name: string) => string | Promise<string>,
  spec: Record<string, unknown> = {},
): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `crowd-${index}`).values();
  const lane = async (): Promise<void> => {
    for (const name of names) {
      const postBuild = { substitute: { name } };
      const sourceRef = { name: await sourceOf(name) };
      const stage = { name: 'app', sourceRef, postBuild, timeout: '10h' };
      const body = { interval: '1h', ...spec, stages: [stage] };
      await shop.create({ ...stageSets, metadata: { name }, spec: body });
    }
  };
  await Promise.all(Array.from({ length: 10 }, lane));
}
