import type { Playground } from '../dev/playground.ts';
import { progressOnStderr } from '../dev/progress.ts';
import type { KubernetesObject } from '../src/types/kubernetes.ts';
import { readSize } from './arguments.ts';
import { ProcessMeter, readSamples } from './meters.ts';
import { printMeasurement, round } from './print.ts';
import { rawLimit } from './raw-limit.ts';
import { untilAllReady } from './until-ready.ts';
import { configMap, createAll, createNamespace, namespace, publishAll } from './workload.ts';

/**
 * `npm run bench -- --stagesets N --stages S --objects M`: N StageSets of S stages with M ConfigMaps
 * each, from creation to all Ready, then one new revision of everything to all Ready; and in the same
 * run what the API server alone needs for as many objects.
 */
const size = readSize(process.argv.slice(2));
const objectsInAll = size.stageSets * size.stages * size.objects;

function rawObjects(when: string): KubernetesObject[] {
  return Array.from({ length: objectsInAll }, (_, index) => configMap(`raw-${when}-${index}`, 1));
}

async function measure(playground: Playground): Promise<Record<string, number | string>> {
  const { client } = playground;
  await createNamespace(playground);
  const rawBefore = await rawLimit(client, rawObjects('before'));
  const controller = await playground.startController({
    flags: ['--log-level=warn'],
    onLog: progressOnStderr,
  });
  const meter = new ProcessMeter(controller.pid);
  await publishAll(playground, size, 1);
  const idle = await meter.read();
  const before = (await readSamples(controller.metricsUrl)).requests;

  const created = performance.now();
  const ready = untilAllReady(client, namespace, size, 'v1');
  await createAll(playground, size, '1h');
  await ready;
  const createSeconds = (performance.now() - created) / 1000;
  const afterCreate = (await readSamples(controller.metricsUrl)).requests;
  const cpuAfterCreate = await meter.read();
  progressOnStderr(`created and ready after ${createSeconds.toFixed(2)} s`);

  const updated = performance.now();
  const again = untilAllReady(client, namespace, size, 'v2');
  await publishAll(playground, size, 2);
  await again;
  const updateSeconds = (performance.now() - updated) / 1000;
  const afterUpdate = (await readSamples(controller.metricsUrl)).requests;
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

await printMeasurement(measure);
