import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sourceControllerBinary } from '../assets/source-controller.ts';
import { freePorts } from '../cluster/ports.ts';
import { progressOnStderr } from '../progress.ts';

const startLimit = 60_000;

/** Flux's own source-controller as a process beside the cluster. */
export class SourceController {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #storage: string;
  /** `host:port` of its artifacts, as `--allowed-artifact-hosts` takes it. */
  readonly artifactHost: string;
  /** The last lines of its log. */
  readonly log: string[] = [];

  private constructor(child: ChildProcess, storage: string, artifactHost: string) {
    this.#child = child;
    this.#exited = once(child, 'exit');
    this.#storage = storage;
    this.artifactHost = artifactHost;
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.log.push(...chunk.split('\n').filter((line) => line !== ''));
      this.log.splice(0, Math.max(0, this.log.length - 200));
    });
  }

  /**
   * Starts it for all namespaces and waits until it is ready.
   *
   * @throws Error when it can be had nowhere or does not become ready, with the end of its log
   */
  static async start(kubeconfig: string): Promise<SourceController> {
    const binary = await sourceControllerBinary(progressOnStderr);
    const storage = await mkdtemp(join(tmpdir(), 'stageset-artifacts-'));
    const [artifacts, health] = await freePorts(2);
    const host = `127.0.0.1:${artifacts}`;
    const flags = [
      '--watch-all-namespaces',
      `--storage-path=${storage}`,
      `--storage-addr=${host}`,
      `--storage-adv-addr=${host}`,
      `--health-addr=127.0.0.1:${health}`,
      '--metrics-addr=0',
      '--events-addr=',
    ];
    const child = spawn(binary, flags, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        KUBECONFIG: kubeconfig,
        RUNTIME_NAMESPACE: 'default',
        TUF_ROOT: join(storage, '.sigstore'),
      },
    });
    const started = new SourceController(child, storage, host);
    await started.#untilReady(`http://127.0.0.1:${health}/readyz`);
    return started;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill();
    await this.#exited;
    await rm(this.#storage, { recursive: true, force: true });
  }

  async #untilReady(url: string): Promise<void> {
    const deadline = performance.now() + startLimit;
    while (performance.now() < deadline && this.#child.exitCode === null) {
      const signal = AbortSignal.timeout(1_000);
      const answer = await fetch(url, { signal }).catch(() => undefined);
      if (answer?.status === 200) return;
      await delay(100);
    }
    await this.stop();
    throw new Error(`source-controller did not become ready:\n${this.log.slice(-20).join('\n')}`);
  }
}
