import type { Advance, StageRunStatus } from '../../types/stages.ts';

/** Most bytes of a StageRun's status as JSON: with identity and spec it stays below 256 KiB. */
const largestStatus = 240 * 1024;

const mostAdvances = 200;

/** Bytes: of the largest possible ones there is room for five, of usual ones for two hundred. */
const largestAdvances = 96 * 1024;

/** Whether the record of a run has no room for these advances. */
export function isTooMany(advances: readonly Advance[]): boolean {
  return advances.length > mostAdvances || sizeOf(advances) > largestAdvances;
}

/** The status with as many of its listed changes as leave it small enough; true counts stay. */
export function fitted(status: StageRunStatus): StageRunStatus {
  let fitting = status;
  for (let most = longestList(status); most > 0 && sizeOf(fitting) > largestStatus; ) {
    most = Math.floor(most / 2);
    fitting = withChanges(status, most);
  }
  return fitting;
}

function longestList({ stages }: StageRunStatus): number {
  return Math.max(0, ...(stages ?? []).map(({ changes }) => changes?.length ?? 0));
}

function withChanges(status: StageRunStatus, most: number): StageRunStatus {
  const stages = (status.stages ?? []).map((stage) => {
    const { changes, ...rest } = stage;
    if (changes === undefined || changes.length <= most) return stage;
    return most === 0 ? rest : { ...rest, changes: changes.slice(0, most) };
  });
  return { ...status, stages };
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value), 'utf8');
}
