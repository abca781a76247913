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

/** How kube-apiserver introduces itself and the one who asks. */
export interface Introduction {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
}

export async function ask(urls: readonly string[], as: Introduction): Promise<Asking> {
  const child = fork(new URL(import.meta.url), [...urls]);
  child.send(as);
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

async function get(url: string, agent: Agent, headers: Introduction['headers']): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const sent = request(url, { agent, headers }, (answer) => {
      answer.resume();
      answer.once('end', resolve);
      answer.once('error', reject);
      if (answer.statusCode !== 200) reject(new Error(`${url}: ${answer.statusCode ?? 0}`));
    });
    sent.once('error', reject);
    sent.end();
  });
}

async function askInTurn(urls: readonly string[]): Promise<void> {
  const [{ cert, key, headers }] = (await once(process, 'message')) as [Introduction];
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false, cert, key });
  const times = new Map(urls.map((url) => [url, [] as number[]]));
  const stop = new AbortController();
  process.once('message', () => stop.abort());
  for (const url of urls) await get(url, agent, headers);
  process.send?.('ready');
  while (!stop.signal.aborted) {
    for (const [url, taken] of times) {
      const began = performance.now();
      await get(url, agent, headers);
      taken.push(performance.now() - began);
    }
  }
  agent.destroy();
  process.send?.(Object.fromEntries(times));
}

if (process.argv[1] === new URL(import.meta.url).pathname) await askInTurn(process.argv.slice(2));
