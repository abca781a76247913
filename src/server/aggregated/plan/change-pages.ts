import type {
  PlannedStage,
  StagePlanStatus,
} from '../../../types/generated/subresources.stages.metio.wtf.v1.ts';

/** A part of a plan's changes, and where the next one begins. */
export interface ChangePage {
  readonly status: StagePlanStatus;
  /** Undefined at the end. */
  readonly next: number | undefined;
  readonly remaining: number;
}

/**
 * The plan with at most `limit` changes from `start` on, counted over all stages. Everything but the
 * changes themselves is in each page.
 */
export function changePage(status: StagePlanStatus, start: number, limit: number): ChangePage {
  const total = status.stages.reduce((sum, { changes }) => sum + (changes?.length ?? 0), 0);
  const end = Math.min(total, start + limit);
  if (start === 0 && end === total) return { status, next: undefined, remaining: 0 };
  let passed = 0;
  const stages = status.stages.map((stage): PlannedStage => {
    const changes = stage.changes ?? [];
    const from = Math.max(0, start - passed);
    const to = Math.max(0, end - passed);
    passed += changes.length;
    return { ...stage, changes: changes.slice(from, to) };
  });
  const truncated = end < total;
  return {
    status: { ...status, stages, truncated },
    next: truncated ? end : undefined,
    remaining: total - end,
  };
}
