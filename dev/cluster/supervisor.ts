/**
 * The process that owns a cluster's processes and its directory (first argument). It is the parent
 * of all of them and lives in a process group of its own, so that neither Ctrl-C nor the death of
 * the one who started it can leave anything behind: when the channel to the owner closes, it kills
 * its children, removes the directory and ends. Never imported, only run.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, rm } from 'node:fs/promises';
import { type Command, type Component, isCommand, type Report } from './protocol.ts';

const directory = process.argv[2];
const children = new Map<string, ChildProcess>();
let detached = false;
let ending: Promise<void> | undefined;

function report(message: Report): void {
  if (process.connected) {
    process.send?.(message);
  }
}

async function start(component: Component): Promise<void> {
  const log = await open(component.log, 'a', 0o600);
  const child = spawn(component.command, component.args, {
    stdio: ['ignore', log.fd, log.fd],
    // Nothing of the owner's environment: an ETCD_NAME or HTTPS_PROXY there is not meant for us.
    env: { PATH: process.env.PATH },
  });
  children.set(component.name, child);
  child.once('spawn', () => {
    report({ kind: 'started', name: component.name, pid: child.pid ?? 0 });
    if (ending !== undefined) {
      child.kill('SIGKILL');
    }
  });
  child.once('error', (error) => {
    children.delete(component.name);
    report({ kind: 'exited', name: component.name, how: error.message });
  });
  child.once('exit', (code, signal) => {
    children.delete(component.name);
    const how = signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`;
    report({ kind: 'exited', name: component.name, how });
  });
  await log.close();
}

async function endAll(): Promise<void> {
  await Promise.all(
    [...children.values()].map(async (child) => {
      const exited = once(child, 'exit');
      // The data is thrown away: there is nothing to finish in order.
      child.kill('SIGKILL');
      await exited;
    }),
  );
  if (directory !== undefined) {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

function end(): void {
  ending ??= endAll().then(
    () => process.exit(0),
    () => process.exit(1),
  );
}

function obey(command: Command): void {
  switch (command.kind) {
    case 'start':
      start(command.component).catch((error: unknown) => {
        report({ kind: 'exited', name: command.component.name, how: String(error) });
      });
      break;
    case 'signal':
      children.get(command.name)?.kill(command.signal);
      break;
    case 'detach':
      detached = true;
      report({ kind: 'detached' });
      break;
    case 'stop':
      end();
      break;
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, end);
}
process.on('uncaughtException', (error) => {
  report({ kind: 'failed', why: String(error) });
  end();
});
process.on('message', (message) => {
  if (isCommand(message)) {
    obey(message);
  }
});
process.on('disconnect', () => {
  if (detached) {
    // Without the channel nothing else keeps Node running.
    setInterval(() => undefined, 2 ** 31 - 1);
  } else {
    end();
  }
});

if (directory === undefined || !process.connected) {
  process.exit(1);
}
try {
  await mkdir(directory, { mode: 0o700 });
} catch (error) {
  // Not ours: it must not be removed at the end.
  process.send?.({ kind: 'failed', why: String(error) }, () => process.exit(1));
}
report({ kind: 'ready' });
