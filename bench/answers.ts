import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startApi } from '../dev/aggregated-api.ts';
import type { ControllerProcess } from '../dev/controller-process.ts';
import { type Playground, startPlayground } from '../dev/playground.ts';
import { progressOnStderr } from '../dev/progress.ts';
import { ask } from './asking.ts';
import { startBareServer } from './bare-server.ts';
import { quantiles } from './quantiles.ts';
import { untilAllReady } from './until-ready.ts';
import { createAll, createNamespace, namespace, publishAll } from './workload.ts';

/**
 * `npm run bench:answers`: how long discovery and health take while 50 StageSets roll out, with the raw
 * limit beside them: a bare server that answers a constant, asked in the same turns. And how late the
 * event loop of the controller was.
 */
const rolledOut = 50;

const group = '/apis/subresources.stages.metio.wtf/v1';

/** Late answers and a late event loop while StageSets roll out. */
async function rollOut(
  playground: Playground,
  { pid }: ControllerProcess,
  apiUrl: string,
  loopDelayFile: string,
): Promise<Record<string, unknown>> {
  const many = { stageSets: rolledOut, stages: 2, objects: 5 };
  await publishAll(playground, many, 1);
  const all = untilAllReady(playground.client, namespace, many, 'v1');
  const bare = await startBareServer();
  const urls = { bare: bare.url, discovery: `${apiUrl}${group}`, health: `${apiUrl}/readyz` };
  const { certificate, privateKey } = playground.cluster.frontProxyClient;
  const asking = await ask(Object.values(urls), {
    cert: await readFile(certificate, 'utf8'),
    key: await readFile(privateKey, 'utf8'),
    headers: { 'X-Remote-User': 'bench', Accept: 'application/json' },
  });
  // The first one only begins anew.
  await loopDelay(pid, loopDelayFile);
  const before = performance.now();
  await createAll(playground, many, '1h');
  await all;
  const seconds = Math.round((performance.now() - before) / 100) / 10;
  const loop = await loopDelay(pid, loopDelayFile);
  const times = await asking.stop();
  bare.stop();
  const answers = Object.fromEntries(
    Object.entries(urls).map(([name, url]) => [name, quantiles(times[url] ?? [])]),
  );
  const asked = times[urls.bare]?.length;
  return { rolledOut, seconds, asked, ...answers, eventLoopDelay: loop };
}

/** Milliseconds by which the event loop of the process was late since the last call. */
async function loopDelay(pid: number, file: string): Promise<unknown> {
  await writeFile(file, '');
  process.kill(pid, 'SIGUSR2');
  for (let turn = 0; turn < 500; turn += 1) {
    const text = await readFile(file, 'utf8');
    if (text !== '') return JSON.parse(text);
    await pause(20);
  }
  throw new Error('the controller does not say how late its event loop is');
}

async function measure(loopDelayFile: string): Promise<Record<string, unknown>> {
  const playground = await startPlayground({ name: 'bench', progress: progressOnStderr });
  try {
    await createNamespace(playground);
    process.env['NODE_OPTIONS'] = `--import=${new URL('loop-delay.mjs', import.meta.url).href}`;
    process.env['LOOP_DELAY_FILE'] = loopDelayFile;
    const api = await startApi(playground, { flags: ['--log-level=warn'] });
    delete process.env['NODE_OPTIONS'];
    const flag = api.flags.find((each) => each.startsWith('--api-service-port='));
    const url = `https://127.0.0.1:${flag?.split('=')[1] ?? ''}`;
    return await rollOut(playground, api.process, url, loopDelayFile);
  } finally {
    await playground.stop();
  }
}

const directory = await mkdtemp(join(tmpdir(), 'bench-answers-'));
try {
  process.stdout.write(`${JSON.stringify(await measure(join(directory, 'loop-delay.json')))}\n`);
} finally {
  await rm(directory, { recursive: true });
}
