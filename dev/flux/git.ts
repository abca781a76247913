import { hasCode } from '../process/lock.ts';
import { run } from '../process/run.ts';

/** Settings of the machine, and whose commit it is, must not matter. */
const environment = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'Playground',
  GIT_AUTHOR_EMAIL: 'playground@example.com',
  GIT_COMMITTER_NAME: 'Playground',
  GIT_COMMITTER_EMAIL: 'playground@example.com',
};

/**
 * Runs git in a directory. Returns what it prints.
 *
 * @throws Error when git is missing or fails; it says what to install, or what git said
 */
export async function git(directory: string, args: readonly string[]): Promise<string> {
  const result = await run('git', args, { cwd: directory, environment }).catch((error: unknown) => {
    if (!hasCode(error, 'ENOENT')) throw error;
    throw new Error(
      'the git command is missing: install it from https://git-scm.com/downloads (or your package manager) and try again',
    );
  });
  if (result.code !== 0) throw new Error(`git ${args[0] ?? ''} failed: ${result.stderr.trim()}`);
  return result.stdout.trim();
}
