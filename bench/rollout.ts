import { type PackedArtifact, packFiles } from '../dev/artifacts/pack.ts';
import { publish } from '../dev/artifacts/publish.ts';
import { type Playground, startPlayground } from '../dev/playground.ts';
import { progressOnStderr } from '../dev/progress.ts';
import type { KubernetesObject } from '../src/types/kubernetes.ts';
import { stagesApiVersion } from '../src/types/stages.ts';
import { readSize, type Size } from './arguments.ts';
import { countRequests, ProcessMeter } from './meters.ts';
import { rawLimit } from './raw-limit.ts';
import { untilAllReady } from './until-ready.ts';

/**
 * `npm run bench -- --stagesets N --stages S --objects M`: N StageSets of S stages with M ConfigMaps
 * each, from creation to all Ready, then one new revision of everything to all Ready; and in the same
 * run what the API server alone needs for as many objects.
 */
const size = readSize(process.argv.slice(2));
const namespace = 'bench';
const objectsInAll = size.stageSets * size.stages * size.objects;

/** Every StageSet delivers its own objects, so that each stage has an artifact of its own. */
async function publishAll(
  playground: Playground,
  { stageSets, stages }: Size,
  round: number,
): Promise<void> {
  const { client, artifacts } = playground;
  const names = Array.from({ length: stageSets }, (_, set) => set).flatMap((set) =>
    Array.from({ length: stages }, (_, stage) => ({ set, stage })),
  );
  const queue = names.values();
  const lane = async (): Promise<void> => {
    for (const { set, stage } of queue) {
      const artifact = await artifactOf(set, stage, round);
      const name = sourceName(set, stage);
      const revision = `v${round}@${artifact.digest}`;
      await publish(client, artifacts, { namespace, name, revision }, artifact);
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
}

function sourceName(set: number, stage: number): string {
  return `set-${set}-stage-${stage}`;
}

async function artifactOf(set: number, stage: number, round: number): Promise<PackedArtifact> {
  const documents = Array.from({ length: size.objects }, (_, index) =>
    JSON.stringify(configMap(`set-${set}-stage-${stage}-${index}`, round)),
  );
  return await packFiles({ 'objects.yaml': documents.join('\n---\n') });
}

function configMap(name: string, round: number): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace },
    data: { round: String(round), text: 'x'.repeat(200) },
  };
}

function rawObjects(when: string): KubernetesObject[] {
  return Array.from({ length: objectsInAll }, (_, index) => configMap(`raw-${when}-${index}`, 1));
}

function stageSet(set: number): KubernetesObject {
  return {
    apiVersion: stagesApiVersion,
    kind: 'StageSet',
    metadata: { name: `set-${set}`, namespace },
    spec: {
      interval: '1h',
      stages: Array.from({ length: size.stages }, (_, stage) => ({
        name: `stage-${stage}`,
        sourceRef: { kind: 'ExternalArtifact', name: sourceName(set, stage) },
      })),
    },
  };
}

async function createAll({ client }: Playground): Promise<void> {
  const call = { signal: AbortSignal.timeout(120_000) };
  await Promise.all(
    Array.from({ length: size.stageSets }, async (_, set) => {
      await client.create(stageSet(set), {}, call);
    }),
  );
}

async function measure(playground: Playground): Promise<Record<string, number | string>> {
  const { client } = playground;
  const call = { signal: AbortSignal.timeout(60_000) };
  await client.create(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    {},
    call,
  );
  const rawBefore = await rawLimit(client, rawObjects('before'));
  const controller = await playground.startController({
    flags: ['--log-level=warn'],
    onLog: progressOnStderr,
  });
  const meter = new ProcessMeter(controller.pid);
  await publishAll(playground, size, 1);
  const idle = await meter.read();
  const before = await countRequests(controller.metricsUrl);

  const created = performance.now();
  const ready = untilAllReady(client, namespace, size, 'v1');
  await createAll(playground);
  await ready;
  const createSeconds = (performance.now() - created) / 1000;
  const afterCreate = await countRequests(controller.metricsUrl);
  const cpuAfterCreate = await meter.read();
  progressOnStderr(`created and ready after ${createSeconds.toFixed(2)} s`);

  const updated = performance.now();
  const again = untilAllReady(client, namespace, size, 'v2');
  await publishAll(playground, size, 2);
  await again;
  const updateSeconds = (performance.now() - updated) / 1000;
  const afterUpdate = await countRequests(controller.metricsUrl);
  const end = await meter.read();
  progressOnStderr(`updated and ready after ${updateSeconds.toFixed(2)} s`);

  const rawAfter = await rawLimit(client, rawObjects('after'));
  // Before the controller and after it, since the machine may change its speed meanwhile.
  const rawSeconds = (rawBefore + rawAfter) / 2;
  const createRequests = afterCreate - before;
  const updateRequests = afterUpdate - afterCreate;
  return {
    stageSets: size.stageSets,
    stages: size.stages,
    objects: size.objects,
    createSeconds: round(createSeconds),
    updateSeconds: round(updateSeconds),
    rawSeconds: round(rawSeconds),
    rawBeforeSeconds: round(rawBefore),
    rawAfterSeconds: round(rawAfter),
    ratio: round(Math.max(createSeconds, updateSeconds) / rawSeconds),
    createRatio: round(createSeconds / rawSeconds),
    updateRatio: round(updateSeconds / rawSeconds),
    createRequests,
    updateRequests,
    requestsPerObject: round(Math.max(createRequests, updateRequests) / objectsInAll),
    requestsPerStageSetBesidesObjects: round(
      (Math.max(createRequests, updateRequests) - 2 * objectsInAll) / size.stageSets,
    ),
    controllerCpuSeconds: round(end.cpuSeconds - idle.cpuSeconds),
    createCpuSeconds: round(cpuAfterCreate.cpuSeconds - idle.cpuSeconds),
    startCpuSeconds: round(idle.cpuSeconds),
    rssMiB: round(end.peakRssMiB),
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

const playground = await startPlayground({ name: 'bench', progress: progressOnStderr });
try {
  const result = await measure(playground);
  process.stdout.write(`${JSON.stringify(result)}\n`);
} finally {
  await playground.stop();
}
