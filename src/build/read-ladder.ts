import type { ArtifactFiles } from '../core/objects/artifact-files.ts';
import type { Duration } from '../core/time.ts';
import { isLadderFile, type ParsedLadder } from '../core/version/parse-ladder.ts';
import type { Migration } from '../types/stages.ts';
import type { ManifestWorker } from './manifest-worker.ts';
import type { Answer, Question } from './messages.ts';
import { filePortions } from './portions.ts';
import { seal } from './seal.ts';

export interface LadderResult {
  /** Its migrations are frozen. */
  readonly parsed: ParsedLadder;
  /** Memory that it takes, estimated. */
  readonly bytes: number;
}

/**
 * Has a worker read the migrations in the files of an artifact.
 *
 * @param path as `spec.migrationsSourceRef.path`
 * @param timeout of each question
 * @throws what `ManifestWorker.ask` throws. Files that are no ladder are a result.
 */
export async function readLadder(
  worker: ManifestWorker,
  files: ArtifactFiles,
  path: string | undefined,
  { timeout, signal }: { readonly timeout: Duration; readonly signal: AbortSignal },
): Promise<LadderResult> {
  const ask = async <Kind extends Answer['kind']>(
    question: Question,
    ...expected: Kind[]
  ): Promise<Extract<Answer, { kind: Kind }>> =>
    await worker.ask(question, expected, timeout, signal);
  const wanted = new Map([...files].filter(([file]) => isLadderFile(file, path)));
  for (const portion of filePortions(wanted)) await ask({ kind: 'Files', files: portion }, 'Done');
  const answer = await ask({ kind: 'Ladder', path }, 'Ladder', 'NoLadder');
  if (answer.kind === 'NoLadder') {
    const { message } = answer;
    const parsed = { kind: 'Invalid', reason: 'MigrationArtifactInvalid', message } as const;
    return { parsed, bytes: seal(message) };
  }
  const ladder: Migration[] = [];
  let bytes = 0;
  while (ladder.length < answer.count) {
    const { migrations } = await ask({ kind: 'NextMigrations' }, 'Migrations');
    for (const migration of migrations) bytes += seal(migration);
    ladder.push(...migrations);
  }
  return { parsed: { kind: 'Ladder', ladder: Object.freeze(ladder) }, bytes };
}
