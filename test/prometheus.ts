import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { prometheusBinary } from '../dev/assets/prometheus.ts';
import { freePorts } from '../dev/cluster/ports.ts';
import { progressOnStderr } from '../dev/progress.ts';

const startLimit = 60_000;

/** A real Prometheus on a loopback port. */
export class Prometheus {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #directory: string;
  readonly port: number;
  readonly #log: string[] = [];

  private constructor(child: ChildProcess, directory: string, port: number) {
    this.#child = child;
    this.#exited = once(child, 'exit');
    this.#directory = directory;
    this.port = port;
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.#log.push(...chunk.split('\n').filter((line) => line !== ''));
      this.#log.splice(0, Math.max(0, this.#log.length - 50));
    });
  }

  /**
   * Starts it, and waits until it has scraped a target once.
   *
   * @param target `host:port` that serves `/metrics`, scraped each second as job `shop`
   * @param prefix path below which it serves everything
   * @throws Error when it can be had nowhere or has no sample in time, with the end of its log
   */
  static async start(target: string, prefix: string): Promise<Prometheus> {
    const binary = await prometheusBinary(progressOnStderr);
    const directory = await mkdtemp(join(tmpdir(), 'stageset-prometheus-'));
    const [port = 0] = await freePorts(1);
    const config = {
      global: { scrape_interval: '1s', scrape_timeout: '1s' },
      scrape_configs: [{ job_name: 'shop', static_configs: [{ targets: [target] }] }],
    };
    // JSON is YAML.
    await writeFile(join(directory, 'prometheus.yml'), JSON.stringify(config));
    const flags = [
      `--config.file=${join(directory, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      `--web.external-url=http://127.0.0.1:${port}${prefix}`,
      '--query.timeout=1s',
    ];
    const child = spawn(binary, flags, { stdio: ['ignore', 'ignore', 'pipe'] });
    const started = new Prometheus(child, directory, port);
    await started.#untilScraped(`http://127.0.0.1:${port}${prefix}/api/v1/query?query=up==1`);
    return started;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill();
    await this.#exited;
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #untilScraped(url: string): Promise<void> {
    const deadline = performance.now() + startLimit;
    while (performance.now() < deadline && this.#child.exitCode === null) {
      const signal = AbortSignal.timeout(1_000);
      const answer = await fetch(url, { signal }).then(
        async (response) => await response.text(),
        () => '',
      );
      if (answer.includes('"value":[')) return;
      await delay(100);
    }
    await this.stop();
    throw new Error(`Prometheus has no sample:\n${this.#log.slice(-20).join('\n')}`);
  }
}
