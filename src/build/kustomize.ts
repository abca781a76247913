import { type ChildProcess, spawn } from 'node:child_process';
import { constants, readFile } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { RetryableError, TerminalError } from '../core/errors.ts';
import type { Duration } from '../core/time.ts';
import { abortReason, onAbort } from '../kubernetes/wait.ts';

export interface KustomizeRun {
  readonly binary: string;
  /** Directory of the kustomization. */
  readonly directory: string;
  /** An empty directory that the process takes for its home. */
  readonly home: string;
  readonly timeout: Duration;
  readonly maxOutputBytes: number;
  readonly signal: AbortSignal;
  /** Gets the output as it comes; may make the process wait. */
  readonly onOutput: (chunk: Buffer) => Promise<void>;
}

/** `succeeded` says whether there is output to use; stderr is what the process said besides. */
export interface KustomizeResult {
  readonly succeeded: boolean;
  readonly stderr: string;
}

const maxErrorBytes = 64 * 1024;

/** A few hundred bytes of aliases in YAML can make it take gigabytes. */
const maxResidentBytes = 768 * 1024 * 1024;
const residentPageBytes = 4096;
const memoryLookEvery = 100;

/**
 * Runs `kustomize build`. The process has an environment of its own, without a PATH to find git or
 * plugins on and with a proxy that does not exist, should it try to reach anything all the same; it
 * and its children are killed when it runs too long or writes too much.
 *
 * @throws TerminalError when it was killed for that, RetryableError when it could not be started, the
 * signal's reason when aborted.
 */
export async function runKustomize(run: KustomizeRun): Promise<KustomizeResult> {
  if (run.signal.aborted) throw abortReason(run.signal);
  const child = spawn(
    await locate(run.binary),
    ['build', '.', '--load-restrictor', 'LoadRestrictionsNone'],
    {
      cwd: run.directory,
      env: environment(run.home),
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own, to be killed as one.
      detached: true,
    },
  );
  let failure: Error | undefined;
  const kill = (error: Error): void => {
    failure ??= error;
    killGroup(child);
  };
  const timer = setTimeout(
    () => kill(failed(`kustomize did not finish within ${run.timeout / 1000} s; make it smaller`)),
    run.timeout,
  );
  const memory = watchMemory(child, () => {
    kill(failed('kustomize needs too much memory; make it smaller'));
  });
  const stopListening = onAbort(run.signal, () => kill(abortReason(run.signal)));
  try {
    const [code, stderr] = await Promise.all([
      ending(child),
      textOf(child.stderr),
      consume(child.stdout, run).catch((error: unknown) => {
        kill(error instanceof Error ? error : new Error(String(error)));
      }),
    ]);
    if (failure !== undefined) throw failure;
    return { succeeded: code === 0, stderr };
  } finally {
    clearTimeout(timer);
    clearInterval(memory);
    stopListening();
    killGroup(child);
  }
}

/** Looks at what the process holds in memory, where the system tells (proc(5), Linux). */
function watchMemory({ pid }: ChildProcess, onTooMuch: () => void): NodeJS.Timeout {
  return setInterval(() => {
    if (pid === undefined) return;
    readFile(`/proc/${pid}/statm`, 'utf8', (error, statm) => {
      const pages = error === null ? Number(statm.split(' ')[1]) : 0;
      if (pages * residentPageBytes > maxResidentBytes) onTooMuch();
    });
  }, memoryLookEvery);
}

/** The full path of a program: the child's own PATH is empty. */
async function locate(binary: string): Promise<string> {
  if (binary.includes('/')) return resolve(binary);
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    if (directory === '') continue;
    const path = join(directory, binary);
    try {
      await access(path, constants.X_OK);
      return path;
    } catch {
      // The next directory may have it.
    }
  }
  throw notStarted(`${binary} is not on the PATH`);
}

function environment(home: string): NodeJS.ProcessEnv {
  const nowhere = 'http://127.0.0.1:1';
  return {
    PATH: '',
    HOME: home,
    XDG_CONFIG_HOME: home,
    TMPDIR: home,
    HTTP_PROXY: nowhere,
    HTTPS_PROXY: nowhere,
  };
}

function ending(child: ChildProcess): Promise<number | null> {
  return new Promise((resolvePromise, reject) => {
    child.once('error', (error) => reject(notStarted(error.message)));
    child.once('close', resolvePromise);
  });
}

async function consume(
  output: AsyncIterable<Buffer>,
  { maxOutputBytes, onOutput }: KustomizeRun,
): Promise<void> {
  let bytes = 0;
  for await (const chunk of output) {
    bytes += chunk.length;
    if (bytes > maxOutputBytes) {
      throw failed(`kustomize produced more than ${maxOutputBytes} bytes; split the stage`);
    }
    await onOutput(chunk);
  }
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    if (bytes < maxErrorBytes) chunks.push(chunk);
    bytes += chunk.length;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function killGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

function failed(message: string): TerminalError {
  return new TerminalError(message, { reason: 'StageFailed' });
}

function notStarted(why: string): RetryableError {
  return new RetryableError(`kustomize cannot be started: ${why}`, { reason: 'StageFailed' });
}
