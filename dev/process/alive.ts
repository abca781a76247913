import { readFile } from 'node:fs/promises';
import { run } from './run.ts';

/**
 * Whether the process with this id runs and has `mark` in its command line. A recorded id alone
 * proves nothing: after a reboot, or some hours, it may be anybody's.
 */
export async function isProcess(pid: number, mark: string): Promise<boolean> {
  return (await commandLine(pid)).includes(mark);
}

/** Empty when there is no such process, or only its zombie. */
async function commandLine(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    return readFile(`/proc/${pid}/cmdline`, 'utf8').then(
      (text) => text.replaceAll('\0', ' '),
      () => '',
    );
  }
  const listed = await run('ps', ['-ww', '-o', 'command=', '-p', String(pid)]);
  return listed.stdout;
}
