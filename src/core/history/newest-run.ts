import type { RunTrigger, StageRun, StageSet } from '../../types/stages.ts';
import type { RunProgress } from '../run.ts';

/** What the record before tells about the run that begins. */
export interface NewestRun {
  readonly sequence: number;
  readonly runId: string;
  readonly generation: number;
  /** The version that it led to; absent where it had none. */
  readonly version?: { readonly to?: string };
}

/** The run with the highest number, of records of one StageSet in any order. */
export function newestRun(runs: readonly StageRun[]): StageRun | undefined {
  return runs.reduce<StageRun | undefined>(
    (newest, run) => (sequenceOf(run) > sequenceOf(newest) ? run : newest),
    undefined,
  );
}

export function sequenceOf(run: StageRun | undefined): number {
  return run?.spec?.sequence ?? 0;
}

/** Why a run begins, by the record before it (plan-advance-history.md, `spec.trigger`). */
export function triggerOf(
  { status }: StageSet,
  run: Pick<RunProgress, 'generation' | 'desiredVersion'>,
  before: NewestRun | undefined,
): RunTrigger {
  if (before === undefined) {
    // Delivered before there were records.
    return status?.lastAppliedRevisions === undefined ? 'SpecChanged' : 'Adopted';
  }
  const version = before.version?.to;
  const bothKnown = version !== undefined && run.desiredVersion !== undefined;
  if (bothKnown && version !== run.desiredVersion) return 'VersionChanged';
  return before.generation === run.generation ? 'SourceChanged' : 'SpecChanged';
}

/** Records kept where the spec does not say how many. */
const usualLimit = 20;

/**
 * The records that are no longer kept: all but the newest `limit`, and never the last that succeeded.
 * With a limit of at least 1, the one of the run that goes on is kept too: it is the newest.
 */
export function expiredRuns(runs: readonly StageRun[], limit: number = usualLimit): StageRun[] {
  const newestFirst = [...runs].sort((one, other) => sequenceOf(other) - sequenceOf(one));
  const lastSucceeded = newestFirst.find(({ status }) => status?.phase === 'Succeeded');
  return newestFirst.slice(limit).filter((run) => run !== lastSucceeded);
}
