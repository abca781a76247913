import { parseArgs } from 'node:util';
import { type Playground, startPlayground } from '../dev/playground.ts';
import { progressOnStderr } from '../dev/progress.ts';
import { parseStageSet } from '../src/core/validate/schema.ts';
import { type StageSet, stagesApiVersion } from '../src/types/stages.ts';
import { ProcessMeter, readSamples } from './meters.ts';
import { quantiles } from './quantiles.ts';
import { configMap, createAll, createNamespace, namespace, publishAll } from './workload.ts';

/**
 * `npm run bench:waits -- --stagesets N --seconds S`: N StageSets that all wait S seconds in an action
 * before they apply one ConfigMap. Says how long after the start of its wait each was Ready, what that
 * cost the controller, and beside it how long as many bare writes of the same number take.
 */
const { values } = parseArgs({
  options: {
    stagesets: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '60' },
  },
});
const size = { stageSets: Number(values.stagesets), stages: 1, objects: 1 };
const seconds = Number(values.seconds);
const bound = 20 * 60_000;

interface Waits {
  /** Seconds from the start of its wait, as its status says, until it was seen Ready. */
  readonly lasted: readonly number[];
  /** Seconds from the first start to the last. */
  readonly spread: number;
}

async function untilAllWaited({ client }: Playground): Promise<Waits> {
  const signal = AbortSignal.timeout(bound);
  const started = new Map<string, number>();
  const ended = new Map<string, number>();
  const query = { apiVersion: stagesApiVersion, kind: 'StageSet', namespace };
  const { resourceVersion } = await client.list(query, { signal });
  for await (const event of client.watch({ ...query, resourceVersion }, { signal })) {
    if (event.type === 'Bookmark') continue;
    const parsed = parseStageSet(event.object);
    if (!parsed.ok) continue;
    see(parsed.value, started, ended);
    if (ended.size < size.stageSets) continue;
    const lasted = [...ended].map(([name, at]) => (at - (started.get(name) ?? 0)) / 1000);
    const starts = [...started.values()];
    return { lasted, spread: (Math.max(...starts) - Math.min(...starts)) / 1000 };
  }
  throw new Error(`the watch ended with ${ended.size} of ${size.stageSets} StageSets Ready`);
}

function see(
  { metadata, status }: StageSet,
  started: Map<string, number>,
  ended: Map<string, number>,
): void {
  const { name } = metadata;
  const startedAt = status?.stages?.[0]?.runningAction?.startedAt;
  if (startedAt !== undefined && !started.has(name)) started.set(name, Date.parse(startedAt));
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status === 'True' && !ended.has(name)) ended.set(name, Date.now());
}

/** Seconds that so many creations of ConfigMaps take, and nothing else, sixteen at a time. */
async function bareWrites({ client }: Playground, writes: number): Promise<number> {
  const began = performance.now();
  const queue = Array.from({ length: writes }, (_, each) => each).values();
  const lane = async (): Promise<void> => {
    for (const each of queue) {
      const call = { signal: AbortSignal.timeout(60_000) };
      await client.create(configMap(`bare-${each}`, 1), {}, call);
    }
  };
  await Promise.all(Array.from({ length: 16 }, lane));
  return (performance.now() - began) / 1000;
}

async function measure(playground: Playground): Promise<Record<string, number>> {
  await createNamespace(playground);
  const flags = ['--log-level=warn'];
  const controller = await playground.startController({ flags, onLog: progressOnStderr });
  await publishAll(playground, size, 1);
  const meter = new ProcessMeter(controller.pid);
  const idle = await meter.read();
  const before = await readSamples(controller.metricsUrl);
  const waited = untilAllWaited(playground);
  const began = performance.now();
  const pre = [{ name: 'soak', wait: { duration: `${seconds}s` } }];
  await createAll(playground, size, '1h', { pre });
  const created = (performance.now() - began) / 1000;
  progressOnStderr('all created');
  const { lasted, spread } = await waited;
  const total = (performance.now() - began) / 1000;
  const end = await meter.read();
  const { writes } = await readSamples(controller.metricsUrl);
  const ownWrites = writes - before.writes;
  const { p50, p99, max } = quantiles(lasted);
  return {
    stageSets: size.stageSets,
    waitSeconds: seconds,
    createSeconds: round(created),
    startsWithinSeconds: round(spread),
    totalSeconds: round(total),
    waitToReadyP50: p50,
    waitToReadyP99: p99,
    waitToReadyMax: max,
    controllerWrites: ownWrites,
    bareWriteSeconds: round(await bareWrites(playground, ownWrites)),
    controllerCpuSeconds: round(end.cpuSeconds - idle.cpuSeconds),
    peakRssMiB: round(end.peakRssMiB),
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

const playground = await startPlayground({ name: 'bench', progress: progressOnStderr });
try {
  process.stdout.write(`${JSON.stringify(await measure(playground))}\n`);
} finally {
  await playground.stop();
}
