import { formatDuration } from './duration.ts';
import { describeHealth } from './health/summary.ts';
import { judgeRecreating } from './recreation.ts';
import {
  type Failure,
  type RunProgress,
  type StageProgress,
  type StageStep,
  type Wait,
  withStep,
} from './run.ts';
import type { Snapshot } from './snapshot.ts';
import { between, type Instant } from './time.ts';

/**
 * The run with everything that was waited for judged by what was last seen: a group that is
 * established lets the next one be applied, a stage whose objects are all current is ready, a failed
 * object fails its stage at once, and a wait that ran out holds or fails (part A 6.5).
 */
export function settleWaits(run: RunProgress, { now }: Snapshot): RunProgress {
  const index = run.stages.findIndex(({ step }) => step.kind !== 'Ready');
  const stage = run.stages[index];
  if (stage === undefined) return run;
  switch (stage.step.kind) {
    case 'Pending':
    case 'Applying':
    case 'Ready':
      return run;
    case 'Failed':
      return failed(run, stage, stage.step.failure, now);
    case 'Recreating':
      return settle(run, index, judgeRecreating(stage.step, now), now);
    case 'Establishing':
      if (isStale(stage.step, now)) return run;
      return settle(run, index, judgeEstablishing(stage.step, now), now);
    case 'Verifying':
      if (isStale(stage.step, now)) return run;
      if (ranOut(stage.step, now) && !anyFailed(stage.step) && !allCurrent(stage.step)) {
        return { ...run, outcome: progressing(stage, stage.step, now) };
      }
      return settle(run, index, judgeVerifying(stage.step), now);
  }
}

function settle(run: RunProgress, index: number, step: StageStep, now: Instant): RunProgress {
  const settled = withStep(run, index, step);
  const stage = settled.stages[index];
  return step.kind === 'Failed' && stage !== undefined
    ? failed(settled, stage, step.failure, now)
    : settled;
}

function judgeEstablishing(
  step: Extract<StageStep, { kind: 'Establishing' }>,
  now: Instant,
): StageStep {
  const { group, groups } = step;
  if (allCurrent(step)) return { kind: 'Applying', group, groups, health: step.health };
  if (!anyFailed(step) && !ranOut(step, now)) return step;
  const bound = anyFailed(step) ? '' : ` within ${formatDuration(step.bound)}`;
  const message = `not established${bound}: ${describeHealth(step.health)}`;
  return failedStep('apply', message);
}

function judgeVerifying(step: Extract<StageStep, { kind: 'Verifying' }>): StageStep {
  if (anyFailed(step)) return failedStep('verify', describeHealth(step.health));
  return allCurrent(step) ? { kind: 'Ready' } : step;
}

function failedStep(operation: string, message: string): StageStep {
  return {
    kind: 'Failed',
    failure: { reason: 'StageFailed', operation, message, retry: 'Backoff' },
  };
}

function progressing(stage: StageProgress, wait: Wait, now: Instant): RunProgress['outcome'] {
  const message =
    `Stage ${stage.name} is still converging after ${formatDuration(wait.bound)}, nothing failed; ` +
    `waiting for ${describeHealth(wait.health)}`;
  return { kind: 'Progressing', at: now, stage: stage.name, message };
}

function failed(
  run: RunProgress,
  stage: StageProgress,
  failure: Failure,
  now: Instant,
): RunProgress {
  return { ...run, outcome: { kind: 'Failed', at: now, stage: stage.name, failure } };
}

function allCurrent({ health }: Wait): boolean {
  return health.every(({ status }) => status === 'Current');
}

function anyFailed({ health }: Wait): boolean {
  return health.some(({ status }) => status === 'Failed');
}

/** A look is overdue: what was seen last must not decide that the time is over. */
function isStale(wait: Wait, now: Instant): boolean {
  return wait.nextLook <= now && !allCurrent(wait) && !anyFailed(wait);
}

function ranOut({ since, bound }: Wait, now: Instant): boolean {
  return between(since, now) >= bound;
}
