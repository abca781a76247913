import type { RunPhase, StageRun } from '../../types/stages.ts';
import type { Instant } from '../time.ts';
import { changesIn } from './run-summary.ts';

/** Which runs of a StageSet are asked for; undefined asks for all. */
export interface HistoryFilter {
  readonly outcome: RunPhase | undefined;
  /** Only runs that changed something in this stage. */
  readonly stage: string | undefined;
  /** Only runs that began then or later. */
  readonly since: Instant | undefined;
  /** Name of one StageRun. */
  readonly run: string | undefined;
}

/** Whether a run is among those that are asked for. */
export function isAskedFor(run: StageRun, filter: HistoryFilter): boolean {
  const { outcome, stage, since, run: name } = filter;
  if (name !== undefined && run.metadata.name !== name) return false;
  if (outcome !== undefined && run.status?.phase !== outcome) return false;
  if (since !== undefined && !(Date.parse(beginOf(run) ?? '') >= since)) return false;
  return stage === undefined || changesIn(run, stage) > 0;
}

/** When the run began; its record was created a moment before. */
function beginOf({ metadata, status }: StageRun): string | undefined {
  return status?.startedAt ?? metadata.creationTimestamp ?? undefined;
}

const outcomes: ReadonlySet<string> = new Set<RunPhase>([
  'Running',
  'Held',
  'Succeeded',
  'Failed',
  'Superseded',
  'RolledBack',
]);

export const outcomeNames: readonly string[] = [...outcomes];

export function isOutcome(text: string): text is RunPhase {
  return outcomes.has(text);
}

/** Most bytes of the records on one page: a record has up to 256 KiB. */
const largestPage = 8 * 1024 * 1024;

/** A part of a history, and how much comes after it. */
export interface HistoryPage {
  readonly runs: readonly StageRun[];
  readonly remaining: number;
}

/**
 * The first `limit` of the runs, or fewer where they are large: at least one if there is one.
 *
 * @param runs newest first
 * @param before only runs with a lower number; undefined begins with the newest
 */
export function pageOf(
  runs: readonly StageRun[],
  limit: number,
  before: number | undefined,
): HistoryPage {
  const rest = runs.filter(({ spec }) => before === undefined || (spec?.sequence ?? 0) < before);
  const taken: StageRun[] = [];
  let size = 0;
  for (const run of rest.slice(0, limit)) {
    size += JSON.stringify(run).length;
    if (taken.length > 0 && size > largestPage) break;
    taken.push(run);
  }
  return { runs: taken, remaining: rest.length - taken.length };
}
