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

/** Milliseconds that are no difference, however quiet the machine is. */
const noise = 25;

/** Milliseconds from the creation of a StageSet of two stages, in a namespace of its own, to its being Ready. */
async function timeToReady(stand: Stand): Promise<number> {
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
 * other work at any moment. How uncertain they are is told by how far the measurements are apart: two
 * standard errors are allowed for, which is little on a quiet machine and much on a busy one.
 */
export function expectFair(what: string, { alone, beside }: Times): void {
  const [one, other] = [median(alone), median(beside)];
  const ratio = (other / one).toFixed(2);
  const figures = `alone ${one.toFixed(0)} ms, ${what} ${other.toFixed(0)} ms`;
  process.stdout.write(`      ${figures}: ratio ${ratio}\n`);
  const uncertainty = 2 * Math.hypot(2 * errorOfMedian(alone), errorOfMedian(beside));
  if (other > 2 * one + noise + uncertainty) {
    const all = `alone ${list(alone)}; beside ${list(beside)}`;
    throw new Error(`${figures}: ratio ${ratio}, more than twice as long (${all})`);
  }
}

export function median(times: readonly number[]): number {
  const sorted = [...times].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The standard error of the median, by the median deviation, which single outliers do not change. */
function errorOfMedian(times: readonly number[]): number {
  const middle = median(times);
  const deviation = 1.48 * median(times.map((time) => Math.abs(time - middle)));
  return (1.25 * deviation) / Math.sqrt(times.length);
}

function list(times: readonly number[]): string {
  return times.map((time) => time.toFixed(0)).join(' ');
}

/**
 * The raw limit: how long a StageSet takes while somebody else writes to the API server, so many requests
 * at a time and one after the other, and the controller has nothing to do with it.
 */
export async function timesBesideWrites(
  stand: Stand,
  shop: TestNamespace,
  lanes: number,
  tries: number,
): Promise<number[]> {
  const enough = new AbortController();
  const lane = async (_: unknown, index: number): Promise<void> => {
    const object = configMap(`written-${index}`);
    await shop.create(object);
    for (let count = 0; !enough.signal.aborted; count += 1) {
      await shop.patch(object, { data: { count: String(count) } });
    }
  };
  const writing = Promise.all(Array.from({ length: lanes }, lane));
  try {
    return await timesToReady(stand, tries);
  } finally {
    enough.abort();
    await writing;
  }
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
