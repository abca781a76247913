import type { Playground } from '../dev/playground.ts';
import { progressOnStderr } from '../dev/progress.ts';
import { parseStageSet } from '../src/core/validate/schema.ts';
import type { ListQuery } from '../src/kubernetes/lists.ts';
import type { KubernetesObject } from '../src/types/kubernetes.ts';
import { stagesApiVersion } from '../src/types/stages.ts';
import { readHolding } from './arguments.ts';
import { ProcessMeter, readSamples } from './meters.ts';
import { printMeasurement, round } from './print.ts';
import { quantiles } from './quantiles.ts';
import { createNamespace, namespace, publishAll } from './workload.ts';

/**
 * `npm run bench:holds -- --stagesets N --lead S --spread S`: N StageSets of two stages; a closed update
 * window holds every other one before its first stage, a soak the others between their stages. Nothing
 * is released for `lead` seconds, and then each at an instant of its own within `spread` seconds. Prints
 * what holding cost, and how many milliseconds after its instant the object of each was seen that its
 * gate had held back.
 */
const size = readHolding(process.argv.slice(2));

/** Milliseconds since the epoch by the name of a StageSet. */
type Instants = Map<string, number>;

function isWindow(set: number): boolean {
  return set % 2 === 0;
}

/** In whole seconds, as windows and soaks have their ends. */
function instantOf(set: number, from: number): number {
  return Math.ceil((from + (set * size.spread * 1000) / size.stageSets) / 1000) * 1000;
}

function stageSet(set: number, opens: number): KubernetesObject {
  const soak = `${Math.max(1, Math.round((opens - Date.now()) / 1000))}s`;
  const at = (time: number): string => `${new Date(time).toISOString().slice(0, 19)}Z`;
  const window = { type: 'Allow', from: at(opens), to: at(opens + 3_600_000) };
  return {
    apiVersion: stagesApiVersion,
    kind: 'StageSet',
    metadata: { name: `set-${set}`, namespace },
    spec: {
      interval: '1h',
      ...(isWindow(set) ? { updateWindows: [window] } : {}),
      stages: [0, 1].map((stage) => ({
        name: `stage-${stage}`,
        sourceRef: { kind: 'ExternalArtifact', name: `set-${set}-stage-${stage}` },
        ...(stage === 0 && !isWindow(set) ? { promotion: { soak } } : {}),
      })),
    },
  };
}

/** Tells each object of a kind as it is seen, until the signal fires. */
async function follow(
  { client }: Playground,
  kind: Pick<ListQuery, 'apiVersion' | 'kind'>,
  onSeen: (object: KubernetesObject) => void,
  signal: AbortSignal,
): Promise<void> {
  const query = { ...kind, namespace };
  while (!signal.aborted) {
    const { items, resourceVersion } = await client.list(query, { signal });
    for (const item of items) onSeen(item);
    for await (const event of client.watch({ ...query, resourceVersion }, { signal })) {
      if (event.type !== 'Bookmark' && event.type !== 'Deleted') onSeen(event.object);
    }
  }
}

async function measure(playground: Playground): Promise<Record<string, number>> {
  const { client } = playground;
  await createNamespace(playground);
  const flags = ['--log-level=warn'];
  const controller = await playground.startController({ flags, onLog: progressOnStderr });
  const meter = new ProcessMeter(controller.pid);
  await publishAll(playground, { ...size, stages: 2, objects: 1 }, 1);
  const from = Date.now() + size.lead * 1000;
  const instants: Instants = new Map();
  const released: Instants = new Map();
  const over = new AbortController();
  const ended = AbortSignal.any([over.signal, AbortSignal.timeout(15 * 60_000)]);
  const objects = follow(
    playground,
    { apiVersion: 'v1', kind: 'ConfigMap' },
    ({ metadata }) => {
      const [, set = '', stage = ''] = /^set-(\d+)-stage-(\d)-0$/.exec(metadata.name) ?? [];
      const held = isWindow(Number(set)) ? '0' : '1';
      if (set !== '' && stage === held && !released.has(set)) released.set(set, Date.now());
      if (released.size === size.stageSets) over.abort();
    },
    ended,
  );
  const soaks = follow(
    playground,
    { apiVersion: stagesApiVersion, kind: 'StageSet' },
    (object) => {
      const parsed = parseStageSet(object);
      const until = parsed.ok
        ? parsed.value.status?.stages?.[0]?.promotionState?.soakUntil
        : undefined;
      if (until !== undefined) {
        instants.set(object.metadata.name.slice('set-'.length), Date.parse(until));
      }
    },
    ended,
  );
  const following = Promise.allSettled([objects, soaks]);
  for (let set = 0; set < size.stageSets; set += 1) {
    const opens = instantOf(set, from);
    if (isWindow(set)) instants.set(String(set), opens);
    await client.create(stageSet(set, opens), {}, { signal: AbortSignal.timeout(60_000) });
  }
  progressOnStderr('all created');
  await until(from - 10_000 - (size.lead * 1000) / 3);
  const before = { ...(await meter.read()), ...(await readSamples(controller.metricsUrl)) };
  const began = Date.now();
  await until(from - 5000);
  const after = { ...(await meter.read()), ...(await readSamples(controller.metricsUrl)) };
  const heldSeconds = (Date.now() - began) / 1000;
  progressOnStderr(`held for ${Math.round(heldSeconds)} s`);
  await following;
  const late = [...released].map(([set, at]) => at - (instants.get(set) ?? Number.NaN));
  const { p50, p99, max } = quantiles(late);
  return {
    stageSets: size.stageSets,
    released: released.size,
    lateMsP50: p50,
    lateMsP99: p99,
    lateMsMax: max,
    early: late.filter((each) => each < 0).length,
    heldSeconds: round(heldSeconds),
    heldCpuPercentOfOneCore: round((100 * (after.cpuSeconds - before.cpuSeconds)) / heldSeconds),
    heldWrites: after.writes - before.writes,
    rssMiB: round((await meter.read()).peakRssMiB),
  };
}

async function until(time: number): Promise<void> {
  const left = time - Date.now();
  if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
}

await printMeasurement(measure);
