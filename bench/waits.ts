import type { Playground } from '../dev/playground.ts';
import { progressOnStderr } from '../dev/progress.ts';
import { parseStageSet } from '../src/core/validate/schema.ts';
import type { KubernetesClient } from '../src/kubernetes/client.ts';
import { type StageSet, stagesApiVersion } from '../src/types/stages.ts';
import { readWaiting } from './arguments.ts';
import { ProcessMeter, readSamples } from './meters.ts';
import { printMeasurement, round } from './print.ts';
import { createAll, createNamespace, namespace, publishAll } from './workload.ts';

/**
 * `npm run bench:waits -- --stagesets N --wait S`: N StageSets of one ConfigMap each that are created as
 * fast as the API server takes them, and each have a pre-action that waits for S seconds. Prints how
 * long after its action was seen to begin each was Ready, how long after its creation, and what waiting
 * cost; and beside it what the creation of the StageSets alone took.
 */
const size = readWaiting(process.argv.slice(2));

/** Milliseconds of the process at which something of a StageSet was seen, by its name. */
interface Seen {
  readonly created: Map<string, number>;
  readonly begun: Map<string, number>;
  /** The wait was on record as over. */
  readonly waited: Map<string, number>;
  readonly ready: Map<string, number>;
}

function see({ begun, waited, ready }: Seen, { metadata, status }: StageSet): void {
  const { name } = metadata;
  const now = performance.now();
  const [stage] = status?.stages ?? [];
  if (stage?.runningAction !== undefined && !begun.has(name)) begun.set(name, now);
  if (stage?.executedActions?.includes('nap') === true && !waited.has(name)) waited.set(name, now);
  const condition = status?.conditions?.find(({ type }) => type === 'Ready');
  if (condition?.status === 'True' && !ready.has(name)) ready.set(name, now);
}

async function watchAll(client: KubernetesClient, seen: Seen): Promise<void> {
  const signal = AbortSignal.timeout(15 * 60_000);
  const query = { apiVersion: stagesApiVersion, kind: 'StageSet', namespace };
  while (seen.ready.size < size.stageSets) {
    const { items, resourceVersion } = await client.list(query, { signal });
    for (const object of items) take(object, seen);
    for await (const event of client.watch({ ...query, resourceVersion }, { signal })) {
      if (event.type !== 'Bookmark') take(event.object, seen);
      if (seen.ready.size === size.stageSets) break;
    }
  }
}

function take(object: unknown, seen: Seen): void {
  const parsed = parseStageSet(object);
  if (parsed.ok) see(seen, parsed.value);
}

async function measure(playground: Playground): Promise<Record<string, number>> {
  const { client } = playground;
  await createNamespace(playground);
  const flags = ['--log-level=warn'];
  const controller = await playground.startController({ flags, onLog: progressOnStderr });
  const meter = new ProcessMeter(controller.pid);
  await publishAll(playground, size, 1);
  const seen: Seen = { created: new Map(), begun: new Map(), waited: new Map(), ready: new Map() };
  const before = await meter.read();
  const started = performance.now();
  const watching = watchAll(client, seen);
  const actions = { pre: [{ name: 'nap', wait: { duration: `${size.wait}s` } }] };
  const onCreated = (name: string): void => {
    seen.created.set(name, performance.now());
  };
  await createAll(playground, size, '1h', { actions, onCreated });
  const createSeconds = (performance.now() - started) / 1000;
  progressOnStderr('all created');
  await watching;
  const seconds = (performance.now() - started) / 1000;
  const after = await meter.read();
  const samples = await readSamples(controller.metricsUrl);
  const waits = spans(seen.begun, seen.waited);
  const fromBegin = spans(seen.begun, seen.ready);
  const fromCreation = spans(seen.created, seen.ready);
  return {
    stageSets: size.stageSets,
    waitSeconds: size.wait,
    createSeconds: round(createSeconds),
    allReadySeconds: round(seconds),
    beginToWaitedP50: quantile(waits, 0.5),
    beginToWaitedMax: quantile(waits, 1),
    beginToReadyP50: quantile(fromBegin, 0.5),
    beginToReadyMax: quantile(fromBegin, 1),
    createdToReadyP50: quantile(fromCreation, 0.5),
    createdToReadyMax: quantile(fromCreation, 1),
    writesPerStageSet: round(samples.writes / size.stageSets),
    controllerCpuSeconds: round(after.cpuSeconds - before.cpuSeconds),
    cpuPercentOfOneCore: round((100 * (after.cpuSeconds - before.cpuSeconds)) / seconds),
    rssMiB: round(after.peakRssMiB),
  };
}

function spans(from: ReadonlyMap<string, number>, to: ReadonlyMap<string, number>): number[] {
  return [...to]
    .flatMap(([name, end]) => {
      const start = from.get(name);
      return start === undefined ? [] : [(end - start) / 1000];
    })
    .sort((one, other) => one - other);
}

function quantile(sorted: readonly number[], share: number): number {
  return round(
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN,
  );
}

await printMeasurement(measure);
