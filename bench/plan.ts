import { startApi } from '../dev/aggregated-api.ts';
import type { Playground } from '../dev/playground.ts';
import { progressOnStderr } from '../dev/progress.ts';
import { printMeasurement } from './print.ts';
import { quantiles } from './quantiles.ts';
import { untilAllReady } from './until-ready.ts';
import { createAll, createNamespace, namespace, publishAll } from './workload.ts';

/**
 * `npm run bench:plan`: how long plans take of a StageSet with 100 unchanged ConfigMaps, alone and 50
 * at a time, with the raw limit beside them: the dry-runs of the same objects by the same client.
 */
const objects = 100;
const atOnce = 50;

const group = '/apis/subresources.stages.metio.wtf/v1';

/** Milliseconds of each piece of work, `lanes` of them at a time. */
async function timed(count: number, lanes: number, work: () => Promise<void>): Promise<number[]> {
  const times: number[] = [];
  let left = count;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const began = performance.now();
      await work();
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return times;
}

/** The raw limit of one plan: a dry-run of each object, 16 at a time, and one list. */
async function dryRuns({ client }: Playground): Promise<void> {
  const call = { signal: AbortSignal.timeout(60_000) };
  const query = { apiVersion: 'v1', kind: 'ConfigMap', namespace } as const;
  const { items } = await client.list(query, call);
  const names = items.map(({ metadata }) => metadata.name).values();
  const lane = async (): Promise<void> => {
    for (const name of names) {
      const metadata = { name, namespace };
      const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
      await client.apply(object, { fieldManager: 'raw', force: true, dryRun: 'All' }, call);
    }
  };
  await Promise.all(Array.from({ length: 16 }, lane));
}

async function measure(playground: Playground): Promise<Record<string, unknown>> {
  const { client } = playground;
  await createNamespace(playground);
  await startApi(playground, { flags: ['--log-level=warn'] });
  const one = { stageSets: 1, stages: 1, objects };
  await publishAll(playground, one, 1);
  const ready = untilAllReady(client, namespace, one, 'v1');
  await createAll(playground, one, '1h');
  await ready;
  progressOnStderr('Ready');
  const plan = async (): Promise<void> => {
    const path = `${group}/namespaces/${namespace}/stagesets/set-0/plan`;
    const answer = await client.raw(
      { method: 'GET', path },
      { signal: AbortSignal.timeout(60_000) },
    );
    if (!JSON.stringify(answer).includes('UpToDate')) throw new Error('the plan is not UpToDate');
  };
  await timed(5, 1, plan);
  const raw = quantiles(await timed(20, 1, async () => await dryRuns(playground)));
  const alone = quantiles(await timed(20, 1, plan));
  const crowd = quantiles(await timed(2 * atOnce, atOnce, plan));
  const rawCrowd = quantiles(
    await timed(2 * atOnce, atOnce, async () => await dryRuns(playground)),
  );
  progressOnStderr('planned');
  return {
    objects,
    plan: alone,
    rawPlan: raw,
    ratio: Math.round((100 * alone.p50) / raw.p50) / 100,
    atOnce,
    crowd,
    rawCrowd,
    crowdRatio: Math.round((100 * crowd.p50) / rawCrowd.p50) / 100,
  };
}

await printMeasurement(measure);
