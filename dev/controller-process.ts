import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));

export interface ControllerOptions {
  readonly kubeconfig: string;
  readonly kustomizeBinary: string;
  /** Hosts to which the address guard gives way. */
  readonly artifactHosts: readonly string[];
  /** Further flags. */
  readonly flags?: readonly string[];
  /** Variables besides those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Told of each line that the controller logs. */
  readonly onLog?: (line: string) => void;
}

/** Told of what every controller process says, whoever starts it. */
export interface ControllerObserver {
  onLog(line: string): void;
  /** Awaited before a process is asked to end, while it still answers. */
  beforeStop(process: ControllerProcess): Promise<void>;
}

const observers: ControllerObserver[] = [];

/** Observes all controller processes that this process starts from now on. */
export function observeControllers(observer: ControllerObserver): void {
  observers.push(observer);
}

type Ports = readonly [health: number, metrics: number, gate: number];

/** The built controller as a process of its own, as a user runs it. */
export class ControllerProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly healthUrl: string;
  readonly metricsUrl: string;
  readonly gateUrl: string;
  /** The last lines of its log. */
  readonly log: string[] = [];

  private constructor(
    child: ChildProcess,
    [health, metrics, gate]: Ports,
    onLog?: (line: string) => void,
  ) {
    this.#child = child;
    this.#exited = once(child, 'exit');
    this.healthUrl = `http://127.0.0.1:${health}`;
    this.metricsUrl = `http://127.0.0.1:${metrics}/metrics`;
    this.gateUrl = `http://127.0.0.1:${gate}/gate`;
    let rest = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        this.log.push(line);
        if (this.log.length > 1000) this.log.shift();
        onLog?.(line);
        for (const observer of observers) observer.onLog(line);
      }
    });
  }

  /** Starts the controller and waits until it follows the cluster. */
  static async start(options: ControllerOptions): Promise<ControllerProcess> {
    const ports: Ports = [await freePort(), await freePort(), await freePort()];
    const [health, metrics, gate] = ports;
    const flags = [
      `--kubeconfig=${options.kubeconfig}`,
      `--kustomize-binary=${options.kustomizeBinary}`,
      `--health-probe-bind-address=127.0.0.1:${health}`,
      `--metrics-bind-address=127.0.0.1:${metrics}`,
      `--gate-bind-address=127.0.0.1:${gate}`,
      // Whoever wants webhooks has a Service and configurations for them, and says so.
      '--enable-webhook=false',
      ...options.artifactHosts.map((host) => `--allowed-artifact-hosts=${host}`),
      ...(options.flags ?? []),
    ];
    const child = spawn(process.execPath, [main, ...flags], {
      stdio: ['ignore', 'inherit', 'pipe'],
      env: { ...process.env, ...options.environment },
    });
    const started = new ControllerProcess(child, ports, options.onLog);
    await started.#untilReady();
    return started;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** As a kubelet ends a container: SIGTERM, then wait. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      for (const observer of observers) await observer.beforeStop(this);
      this.#child.kill('SIGTERM');
    }
    await this.#exited;
  }

  /** As a crash ends it. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async #untilReady(): Promise<void> {
    const deadline = performance.now() + 60_000;
    while (performance.now() < deadline) {
      if (this.#child.exitCode !== null) break;
      const answer = await fetch(`${this.healthUrl}/readyz`).catch(() => undefined);
      if (answer?.status === 200) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const log = this.log.slice(-20).join('\n');
    if (this.#child.exitCode === null) await this.stop();
    throw new Error(`the controller did not become ready:\n${log}`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
