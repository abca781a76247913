import type { RecordedStage, StageRun } from '../../types/stages.ts';
import { humanDuration } from '../human-duration.ts';
import { between, type Instant, instant } from '../time.ts';

/** A run on one line, for people; undefined where there is nothing to say. */
export interface RunSummary {
  readonly run: string;
  readonly trigger: string | undefined;
  /** Of the first stage in which something changed. */
  readonly revision: string | undefined;
  /** `1.4.0 -> 1.5.0`, or the one that stays. */
  readonly version: string | undefined;
  /** RFC 3339. */
  readonly startedAt: string | undefined;
  /** Since it began, as `kubectl` prints ages. */
  readonly age: string | undefined;
  /** From its beginning to its end, or until now. */
  readonly duration: string | undefined;
  readonly outcome: string | undefined;
  /** Who passed gates, each once, in that order. */
  readonly advancedBy: readonly string[];
}

export function runSummary(run: StageRun, now: Instant): RunSummary {
  const { metadata, spec, status } = run;
  const startedAt = status?.startedAt;
  const end = status?.finishedAt === undefined ? now : instant(Date.parse(status.finishedAt));
  return {
    run: metadata.name,
    trigger: spec?.trigger,
    revision: firstChanged(run),
    version: versionOf(run),
    startedAt,
    age: span(startedAt, now),
    duration: span(startedAt, end),
    outcome: status?.phase,
    advancedBy: [...new Set((status?.advances ?? []).map(({ user }) => user ?? nobody))],
  };
}

/** Stands for whoever set an annotation without anybody who vouches for them. */
export const nobody = '(unknown)';

/** How many objects a run changed in a stage. */
export function changesIn(run: StageRun, stage: string): number {
  const entry = run.status?.stages?.find(({ name }) => name === stage);
  return entry === undefined ? 0 : changedObjects(entry);
}

function changedObjects({ objects, changes }: RecordedStage): number {
  const { created = 0, updated = 0, recreated = 0, pruned = 0 } = objects ?? {};
  return Math.max(created + updated + recreated + pruned, changes?.length ?? 0);
}

function firstChanged({ spec, status }: StageRun): string | undefined {
  const changed = status?.stages?.find((stage) => changedObjects(stage) > 0)?.name;
  return spec?.snapshot.find(({ stage }) => stage === changed)?.revision;
}

function versionOf({ spec }: StageRun): string | undefined {
  const { from, to } = spec?.version ?? {};
  if (from === undefined || to === undefined || from === to) return to ?? from;
  return `${from} -> ${to}`;
}

function span(startedAt: string | undefined, end: Instant): string | undefined {
  const start = Date.parse(startedAt ?? '');
  if (Number.isNaN(start) || Number.isNaN(end)) return undefined;
  return humanDuration(between(instant(start), end));
}
