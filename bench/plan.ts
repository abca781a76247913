import { request } from 'node:https';
import { startApi } from '../dev/aggregated-api.ts';
import { type Playground, startPlayground } from '../dev/playground.ts';
import { progressOnStderr } from '../dev/progress.ts';
import { untilAllReady } from './until-ready.ts';
import { createAll, createNamespace, namespace, publishAll } from './workload.ts';

/**
 * `npm run bench:plan`: how long plans take of a StageSet with 100 unchanged ConfigMaps, alone and 50
 * at a time, with the raw limit beside them: the dry-runs of the same objects by the same client. And
 * how long discovery and health take while 50 StageSets roll out.
 */
const objects = 100;
const atOnce = 50;
const rolledOut = 50;

const group = '/apis/subresources.stages.metio.wtf/v1';

interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

function quantiles(times: readonly number[]): Quantiles {
  const sorted = [...times].sort((one, other) => one - other);
  const at = (share: number): number => {
    const time = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
    return Math.round(time * 10) / 10;
  };
  return { p50: at(0.5), p99: at(0.99) };
}

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

/** One GET to the API itself; anybody may read these paths, and the certificate is not the matter. */
async function ask(port: number, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, rejectUnauthorized: false }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve());
      answer.once('error', reject);
    });
    sent.once('error', reject);
    sent.end();
  });
}

async function measure(playground: Playground): Promise<Record<string, unknown>> {
  const { client } = playground;
  await createNamespace(playground);
  const { flags } = await startApi(playground, { flags: ['--log-level=warn'] });
  const port = Number(flags.find((flag) => flag.startsWith('--api-service-port='))?.split('=')[1]);
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
  // Its name is used again.
  await playground.cluster.kubectl(['delete', 'stageset', 'set-0', '--namespace', namespace]);

  const many = { stageSets: rolledOut, stages: 2, objects: 5 };
  await publishAll(playground, many, 1);
  const all = untilAllReady(client, namespace, many, 'v1');
  const times = { discovery: [] as number[], health: [] as number[] };
  const rolledOutAll = new AbortController();
  const asking = (async (): Promise<void> => {
    while (!rolledOutAll.signal.aborted) {
      times.discovery.push(...(await timed(1, 1, async () => await ask(port, group))));
      times.health.push(...(await timed(1, 1, async () => await ask(port, '/readyz'))));
    }
  })();
  await createAll(playground, many, '1h');
  await all;
  rolledOutAll.abort();
  await asking;
  return {
    objects,
    plan: alone,
    rawPlan: raw,
    ratio: Math.round((100 * alone.p50) / raw.p50) / 100,
    atOnce,
    crowd,
    rawCrowd,
    crowdRatio: Math.round((100 * crowd.p50) / rawCrowd.p50) / 100,
    rolledOut,
    discovery: quantiles(times.discovery),
    health: quantiles(times.health),
    asked: times.discovery.length,
  };
}

const playground = await startPlayground({ name: 'bench', progress: progressOnStderr });
try {
  process.stdout.write(`${JSON.stringify(await measure(playground))}\n`);
} finally {
  await playground.stop();
}
