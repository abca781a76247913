import { spawn } from 'node:child_process';
import { constants } from 'node:os';

export interface RunOptions {
  cwd?: string;
  /** Added to this process' environment; `undefined` takes a variable away. */
  environment?: Record<string, string | undefined>;
  /** Written to the command's stdin; without it, stdin is empty. */
  input?: string;
  /** Ends the command by SIGINT; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Each line of stderr as it comes. */
  onErrorLine?: (line: string) => void;
}

export interface RunResult {
  stdout: string;
  stderr: string;
  /** Exit code; 128 + number for a death by signal, as a shell reports it. */
  code: number;
}

/**
 * Runs a command to its end. A failing command is a result, not an error.
 *
 * @throws Error when the command does not exist, or the signal's reason when it was aborted
 */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  options.signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.environment },
      stdio: 'pipe',
    });
    const interrupt = (): void => {
      // SIGINT, because a Go tool removes its temporary files and stops its own children on it.
      child.kill('SIGINT');
    };
    options.signal?.addEventListener('abort', interrupt, { once: true });
    let stdout = '';
    let stderr = '';
    let unfinishedLine = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
      const lines = (unfinishedLine + chunk).split('\n');
      unfinishedLine = lines.pop() ?? '';
      for (const line of lines) {
        options.onErrorLine?.(line);
      }
    });
    // A command that ends without reading its input is no failure of ours.
    child.stdin.on('error', () => undefined).end(options.input ?? '');
    child.once('error', (error) => {
      options.signal?.removeEventListener('abort', interrupt);
      reject(error);
    });
    child.once('close', (code, killedBy) => {
      options.signal?.removeEventListener('abort', interrupt);
      if (options.signal?.aborted === true) {
        reject(asError(options.signal.reason));
      } else {
        resolve({ stdout, stderr, code: code ?? exitCodeOf(killedBy) });
      }
    });
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

function exitCodeOf(signal: NodeJS.Signals | null): number {
  return signal === null ? 1 : 128 + constants.signals[signal];
}
