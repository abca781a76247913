import { setTimeout as pause } from 'node:timers/promises';
import type { Playground } from '../dev/playground.ts';
import { progressOnStderr } from '../dev/progress.ts';
import type { KubernetesClient } from '../src/kubernetes/client.ts';
import { readSteadiness } from './arguments.ts';
import { ProcessMeter, readSamples } from './meters.ts';
import { printMeasurement, round } from './print.ts';
import { untilAllReady } from './until-ready.ts';
import { createAll, createNamespace, namespace, publishAll } from './workload.ts';

/**
 * `npm run bench:steady -- --stagesets N --objects M --interval S --settle S --window S`: N StageSets of M
 * ConfigMaps each, all Ready and unchanged. Counts what they cost while nothing happens: requests for
 * each reconcile, CPU time and memory; and beside it what the API server alone needs to list the
 * objects of one StageSet as often. With an interval far beyond the window it measures idleness.
 */
const size = readSteadiness(process.argv.slice(2));

/** Seconds that as many lists take as there were reconciles: the least that looking costs. */
async function rawLists(client: KubernetesClient, lists: number): Promise<number> {
  const started = performance.now();
  const queue = Array.from({ length: lists }, (_, each) => each % size.stageSets).values();
  const lane = async (): Promise<void> => {
    for (const set of queue) {
      const labelSelector = `stages.metio.wtf/name=set-${set}`;
      const query = { apiVersion: 'v1', kind: 'ConfigMap', namespace, labelSelector } as const;
      await client.list({ ...query, as: 'Metadata' }, { signal: AbortSignal.timeout(60_000) });
    }
  };
  await Promise.all(Array.from({ length: 4 }, lane));
  return (performance.now() - started) / 1000;
}

async function measure(playground: Playground): Promise<Record<string, number>> {
  const { client } = playground;
  await createNamespace(playground);
  const flags = ['--log-level=warn'];
  const controller = await playground.startController({ flags, onLog: progressOnStderr });
  const meter = new ProcessMeter(controller.pid);
  await publishAll(playground, size, 1);
  const ready = untilAllReady(client, namespace, size, 'v1');
  await createAll(playground, size, `${size.interval}s`);
  await ready;
  progressOnStderr('all Ready');
  // Events and what else a rollout leaves to do are not part of the steady state.
  await pause(10_000);

  const before = await readSamples(controller.metricsUrl);
  // Telling its metrics costs the controller time of its own, and garbage, as the rollout did. V8
  // collects that over half a minute of idleness: with many StageSets, that is worth waiting for.
  await pause(size.settle * 1000);
  const idle = await meter.read();
  const started = performance.now();
  await pause(size.window * 1000);
  const seconds = (performance.now() - started) / 1000;
  const end = await meter.read();
  const after = await readSamples(controller.metricsUrl);

  const checks = after.stagesPassed - before.stagesPassed;
  const writes = after.writes - before.writes;
  const reads = after.requests - before.requests - writes;
  const cpuSeconds = end.cpuSeconds - idle.cpuSeconds;
  return {
    stageSets: size.stageSets,
    objects: size.objects,
    intervalSeconds: size.interval,
    windowSeconds: round(seconds),
    checks,
    writes,
    reads,
    readsPerCheck: round(reads / Math.max(checks, 1)),
    reconciles: after.reconciles - before.reconciles,
    controllerCpuSeconds: round(cpuSeconds),
    cpuPercentOfOneCore: round((100 * cpuSeconds) / seconds),
    rawListSeconds: round(await rawLists(client, checks)),
    rssMiB: round(end.peakRssMiB),
  };
}

await printMeasurement(measure);
