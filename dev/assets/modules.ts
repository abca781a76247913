import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDirectory } from './cache.ts';
import { go } from './go.ts';

/** Flux' source-controller, whose config/crd/bases hold the source CRDs as users install them. */
export const sourceController = 'github.com/fluxcd/source-controller';

/**
 * The directory with the files of a Go module at a version (`v1.9.6`), in Go's own module cache:
 * read-only, verified against the checksum database. Found again without Go on later calls.
 *
 * @throws Error when Go is missing or the module proxy cannot be reached; it says what to do
 */
export async function moduleDirectory(
  module: string,
  version: string,
  signal?: AbortSignal,
): Promise<string> {
  const records = join(cacheDirectory(), 'modules');
  const record = join(records, `${module.replaceAll('/', '_')}@${version}`);
  const known = await readFile(record, 'utf8').catch(() => undefined);
  if (known !== undefined && (await isDirectory(known))) {
    return known;
  }
  const directory = await downloadModule(module, version, signal);
  await mkdir(records, { recursive: true });
  const fresh = `${record}.${process.pid}`;
  await writeFile(fresh, directory);
  await rename(fresh, record);
  return directory;
}

/** The directory of Flux' source CRDs (GitRepository, OCIRepository, Bucket, ExternalArtifact ...). */
export async function fluxSourceCrds(version: string, signal?: AbortSignal): Promise<string> {
  return join(await moduleDirectory(sourceController, version, signal), 'config', 'crd', 'bases');
}

async function downloadModule(
  module: string,
  version: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  // Outside of any module, so that go looks at no go.mod and writes none.
  const outside = await mkdtemp(join(tmpdir(), 'stageset-module-'));
  try {
    const purpose = `download of the Go module ${module} ${version}`;
    const result = await go(purpose, ['mod', 'download', '-json', `${module}@${version}`], {
      cwd: outside,
      signal,
    });
    const answer: unknown = JSON.parse(result.stdout);
    if (
      typeof answer === 'object' &&
      answer !== null &&
      'Dir' in answer &&
      typeof answer.Dir === 'string'
    ) {
      return answer.Dir;
    }
    throw new Error(`${purpose}: go named no directory`);
  } finally {
    await rm(outside, { recursive: true, force: true });
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
