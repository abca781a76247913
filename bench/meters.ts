import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What a process has used so far. */
export interface ProcessReading {
  readonly cpuSeconds: number;
  readonly peakRssMiB: number;
}

/** Reads what the kernel has accounted to a process: exact on Linux, to a second elsewhere. */
export class ProcessMeter {
  readonly #pid: number;
  #peak = 0;

  constructor(pid: number) {
    this.#pid = pid;
  }

  async read(): Promise<ProcessReading> {
    if (process.platform !== 'linux') return await this.#readByPs();
    const stat = await readFile(`/proc/${this.#pid}/stat`, 'utf8');
    const status = await readFile(`/proc/${this.#pid}/status`, 'utf8');
    // Fields count from behind the command's name, which may contain blanks (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    const kibibytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]);
    return { cpuSeconds: ticks / 100, peakRssMiB: kibibytes / 1024 };
  }

  async #readByPs(): Promise<ProcessReading> {
    const { stdout } = await run('ps', ['-o', 'time=,rss=', '-p', String(this.#pid)]);
    const [time = '0', rss = '0'] = stdout.trim().split(/\s+/);
    const cpuSeconds = time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
    this.#peak = Math.max(this.#peak, Number(rss) / 1024);
    return { cpuSeconds, peakRssMiB: this.#peak };
  }
}

/** Samples of the controller's metrics that matter to a benchmark, summed over their labels. */
export interface Samples {
  readonly requests: number;
  readonly writes: number;
  /** Stages that passed, which every reconcile of a healthy StageSet counts once for each. */
  readonly stagesPassed: number;
  readonly reconciles: number;
}

export async function readSamples(metricsUrl: string): Promise<Samples> {
  const text = await (await fetch(metricsUrl)).text();
  const sum = (name: string, labels = ''): number => {
    const samples = text.matchAll(new RegExp(`^${name}\\{[^}]*${labels}[^}]*\\} (\\S+)`, 'gm'));
    return [...samples].reduce((total, [, count]) => total + Number(count), 0);
  };
  return {
    requests: sum('rest_client_requests_total'),
    writes: sum('rest_client_requests_total', 'method="(?:POST|PUT|PATCH|DELETE)"'),
    stagesPassed: sum('stageset_stage_applied_total'),
    reconciles: sum('controller_runtime_reconcile_total'),
  };
}
