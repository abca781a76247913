import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { git } from './git.ts';

/** A clone in which somebody works. */
export class WorkingCopy {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async clone(url: string): Promise<WorkingCopy> {
    const directory = await mkdtemp(join(tmpdir(), 'stageset-clone-'));
    await git(directory, ['clone', '--quiet', url, '.']);
    return new WorkingCopy(directory);
  }

  /**
   * Makes `main` hold exactly these files, by their paths, and pushes it. Returns the revision as
   * Flux names it: `main@sha1:<commit>`.
   */
  async push(files: Readonly<Record<string, string>>): Promise<string> {
    const directory = this.#directory;
    await git(directory, ['checkout', '--quiet', '-B', 'main']);
    await git(directory, ['rm', '-r', '--quiet', '--force', '--ignore-unmatch', '.']);
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), text);
    }
    await git(directory, ['add', '--all']);
    await git(directory, ['commit', '--quiet', '--message=Change the release']);
    await git(directory, ['push', '--quiet', 'origin', 'main']);
    return `main@sha1:${await git(directory, ['rev-parse', 'HEAD'])}`;
  }

  async remove(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }
}
