import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/**
 * Runs all tests. Controllers that are killed and started again wait for the most part, and so do
 * they in a process of their own beside the others. What compares times has the machine to itself.
 */
const beside = ['test/crash/**/*.test.ts'];
const most = [
  'test/unit/**/*.test.ts',
  'test/integration/**/*.test.ts',
  'test/security/**/*.test.ts',
];
const alone = ['test/timing/**/*.test.ts'];

/** Milliseconds after which a lane is ended: something in it hangs. */
const bound = 40 * 60_000;

/** Resolves with whether all tests of the lane passed. */
async function run(
  files: readonly string[],
  output: 'Shown' | { readonly file: string },
): Promise<boolean> {
  const lane = spawn('node_modules/.bin/mocha', [...files], {
    stdio: output === 'Shown' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    timeout: bound,
  });
  const ended = once(lane, 'exit');
  if (output !== 'Shown' && lane.stdout !== null && lane.stderr !== null) {
    const file = createWriteStream(output.file);
    lane.stderr.pipe(file, { end: false });
    await pipeline(lane.stdout, file);
  }
  const [code] = (await ended) as [number | null];
  if (code === null)
    process.stderr.write(`ended after ${bound / 60_000} minutes: ${files.join(' ')}\n`);
  return code === 0;
}

const directory = await mkdtemp(join(tmpdir(), 'stageset-tests-'));
try {
  const file = join(directory, 'beside');
  const results = await Promise.all([run(most, 'Shown'), run(beside, { file })]);
  process.stdout.write(await readFile(file));
  results.push(await run(alone, 'Shown'));
  process.exitCode = results.every(Boolean) ? 0 : 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
