import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Command,
  type Component,
  type ComponentName,
  isReport,
  type Report,
} from './protocol.ts';

/** A started component; `exited` resolves to how it ended ("exit code 1", "signal SIGKILL"). */
export interface Running {
  pid: number;
  exited: Promise<string>;
}

const stopDeadline = 10_000;

/** The owner's side of a cluster's supervisor process, see supervisor.ts. */
export class Supervision {
  readonly directory: string;
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #running = new Map<ComponentName, Running>();
  #ending = false;
  #failure = 'ended without a word';

  private constructor(child: ChildProcess, directory: string) {
    this.#process = child;
    this.pid = child.pid ?? 0;
    this.directory = directory;
    child.on('message', (message) => {
      if (isReport(message) && message.kind === 'failed') {
        this.#failure = message.why;
      }
    });
    child.once('exit', () => {
      if (!this.#ending) {
        this.#killGroup();
        rm(directory, { recursive: true, force: true }).catch(() => undefined);
      }
    });
  }

  /** Starts a supervisor, which makes `directory`; it must not exist yet. */
  static async in(directory: string): Promise<Supervision> {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', join(import.meta.dirname, 'supervisor.ts'), directory],
      {
        // A process group of its own: Ctrl-C in a terminal reaches the owner only.
        detached: true,
        // No output of ours: a pipe behind the owner must see its end when the owner ends.
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
        // Where Node looks for tsx.
        cwd: import.meta.dirname,
      },
    );
    const supervision = new Supervision(child, directory);
    await supervision.#next((report) => report.kind === 'ready');
    return supervision;
  }

  /** @throws Error when the program cannot be started at all */
  async start(component: Component): Promise<Running> {
    const exited = this.#exitOf(component.name);
    const started = this.#next((report) => 'name' in report && report.name === component.name);
    this.#send({ kind: 'start', component });
    const report = await started;
    if (report.kind !== 'started') {
      throw new Error(`${component.name}: cannot be started (${await exited})`);
    }
    const running = { pid: report.pid, exited };
    this.#running.set(component.name, running);
    exited.then(
      () => this.#running.delete(component.name),
      () => undefined,
    );
    return running;
  }

  running(name: ComponentName): Running | undefined {
    return this.#running.get(name);
  }

  /** Component names and process ids, the supervisor's own too. */
  processes(): Record<string, number> {
    const components = [...this.#running].map(([name, { pid }]) => [name, pid] as const);
    return Object.fromEntries([['supervisor', this.pid] as const, ...components]);
  }

  /** Sends a signal that does not end a component, such as SIGSTOP or SIGCONT. */
  signal(name: ComponentName, signal: NodeJS.Signals): void {
    this.#send({ kind: 'signal', name, signal });
  }

  /** Kills a component by SIGKILL and waits for its end; fine when it is not running. */
  async kill(name: ComponentName): Promise<void> {
    const running = this.#running.get(name);
    if (running !== undefined) {
      this.#send({ kind: 'signal', name, signal: 'SIGKILL' });
      await running.exited;
    }
  }

  /** Lets the cluster go on without us. Nothing else of this object may be used afterwards. */
  async detach(): Promise<void> {
    const detached = this.#next((report) => report.kind === 'detached');
    this.#send({ kind: 'detach' });
    await detached;
    this.#ending = true;
    this.#process.disconnect();
    this.#process.unref();
  }

  /** Ends all processes and removes the directory; fine to call twice. */
  async stop(): Promise<void> {
    this.#ending = true;
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = once(this.#process, 'exit');
      const deadline = setTimeout(() => {
        this.#killGroup();
      }, stopDeadline);
      if (this.#process.connected) {
        this.#send({ kind: 'stop' });
      }
      await exited;
      clearTimeout(deadline);
    }
    // After an orderly end there is neither a group nor a directory any more.
    this.#killGroup();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  #exitOf(name: ComponentName): Promise<string> {
    return this.#next((report) => report.kind === 'exited' && report.name === name).then(
      (report) => (report.kind === 'exited' ? report.how : ''),
      // The supervisor's end is the end of all.
      (error: unknown) => String(error),
    );
  }

  /** The next report that fits. @throws Error when the supervisor ends before. */
  async #next(fits: (report: Report) => boolean): Promise<Report> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#process.off('message', onMessage).off('exit', onExit);
      };
      const onMessage = (message: unknown): void => {
        if (isReport(message) && fits(message)) {
          settle();
          resolve(message);
        }
      };
      const onExit = (): void => {
        settle();
        reject(new Error(`supervisor of the cluster: ${this.#failure}`));
      };
      this.#process.on('message', onMessage).on('exit', onExit);
    });
  }

  #send(command: Command): void {
    // A send that fails finds the supervisor gone, and its exit is what everybody waits on.
    this.#process.send(command, () => undefined);
  }

  /** The group outlives its leader: its number is not given away while a member lives. */
  #killGroup(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // Nobody is left in it.
    }
  }
}
