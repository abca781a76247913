import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:https';

/**
 * Asks URLs in turn, one at a time over connections that stay, until it is told to stop. It is a
 * process of its own, so that what else the benchmark does makes no answer late.
 */
export interface Asking {
  /** Milliseconds of every answer, by URL. */
  stop(): Promise<Readonly<Record<string, readonly number[]>>>;
}

export async function ask(urls: readonly string[]): Promise<Asking> {
  const child = fork(new URL(import.meta.url), [...urls]);
  await once(child, 'message');
  return {
    stop: async () => {
      const answered = once(child, 'message');
      child.send('stop');
      const [times] = (await answered) as [Record<string, number[]>];
      child.disconnect();
      return times;
    },
  };
}

const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });

async function get(url: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const sent = request(url, { agent }, (answer) => {
      answer.resume();
      answer.once('end', resolve);
      answer.once('error', reject);
    });
    sent.once('error', reject);
    sent.end();
  });
}

async function askInTurn(urls: readonly string[]): Promise<void> {
  const times = new Map(urls.map((url) => [url, [] as number[]]));
  const stop = new AbortController();
  process.once('message', () => stop.abort());
  for (const url of urls) await get(url);
  process.send?.('ready');
  while (!stop.signal.aborted) {
    for (const [url, taken] of times) {
      const began = performance.now();
      await get(url);
      taken.push(performance.now() - began);
    }
  }
  agent.destroy();
  process.send?.(Object.fromEntries(times));
}

if (process.argv[1] === new URL(import.meta.url).pathname) await askInTurn(process.argv.slice(2));
