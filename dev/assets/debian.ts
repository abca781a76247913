import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../process/lock.ts';
import { type RunResult, run } from '../process/run.ts';
import type { Progress } from '../progress.ts';

interface UnpackOptions {
  /** To work in; the package is unpacked below it. */
  readonly scratch: string;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
}

/**
 * Downloads a package of this machine's Debian and unpacks it: nothing is installed, no right of root
 * is used, and none of its scripts is run. apt compares the package with its signed index.
 *
 * @returns the directory that holds what would be in `/`
 * @throws Error where there is no apt, or no such package; it says what apt said
 */
export async function unpackDebianPackage(name: string, options: UnpackOptions): Promise<string> {
  const { scratch, progress } = options;
  progress(`downloading the package ${name} of Debian`);
  const downloaded = join(scratch, 'package');
  await mkdir(downloaded);
  const known = await apt(['download', name], { ...options, cwd: downloaded });
  if (known.code !== 0) {
    // A fresh image has no index; an index of our own can be had without being root.
    const index = await ownIndex(scratch);
    progress('the index of packages is missing or old: downloading it');
    succeeded(await apt([...index, 'update'], options), 'apt-get update');
    succeeded(
      await apt([...index, 'download', name], { ...options, cwd: downloaded }),
      `apt-get download ${name}`,
    );
  }
  const [file] = (await readdir(downloaded)).filter((each) => each.endsWith('.deb'));
  if (file === undefined) throw new Error(`apt-get download ${name} left no package`);
  const root = join(scratch, 'root');
  const unpacked = await command('dpkg-deb', ['-x', join(downloaded, file), root], options);
  succeeded(unpacked, 'dpkg-deb');
  return root;
}

/** Options of apt-get for an index of packages below a directory. */
async function ownIndex(scratch: string): Promise<string[]> {
  const lists = join(scratch, 'lists');
  const cache = join(scratch, 'cache');
  await mkdir(join(lists, 'partial'), { recursive: true });
  await mkdir(join(cache, 'archives', 'partial'), { recursive: true });
  return ['-o', `Dir::State::Lists=${lists}`, '-o', `Dir::Cache=${cache}`];
}

async function apt(
  args: readonly string[],
  options: UnpackOptions & { readonly cwd?: string },
): Promise<RunResult> {
  // Root would hand over to another user, who may not write here.
  return await command('apt-get', ['-o', 'APT::Sandbox::User=root', ...args], options);
}

async function command(
  name: string,
  args: readonly string[],
  { cwd, scratch, signal }: UnpackOptions & { readonly cwd?: string },
): Promise<RunResult> {
  const options = { cwd: cwd ?? scratch, ...(signal === undefined ? {} : { signal }) };
  return await run(name, args, options).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) throw new Error(`The ${name} command is missing.`);
    throw error;
  });
}

function succeeded({ code, stderr }: RunResult, what: string): void {
  if (code === 0) return;
  const said = stderr.trim().split('\n').slice(-5).join('\n');
  throw new Error(`${what} failed with exit code ${code}: ${said}`);
}
