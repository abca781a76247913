import { finalizer } from './finalizer.ts';
import type { Rest, Verdict } from './rest.ts';
import type { Failure } from './run.ts';
import { backoff } from './schedule.ts';
import type { Snapshot } from './snapshot.ts';
import type { ForcedTeardown, TeardownEffect, TeardownProgress } from './teardown-progress.ts';
import { after, between, type Instant, instant, toRfc3339 } from './time.ts';

interface TeardownDecision {
  readonly teardown?: TeardownProgress;
  readonly next: TeardownEffect | Rest;
}

export function decideTeardown(snapshot: Snapshot): TeardownDecision {
  const { stageSet, teardown, now } = snapshot;
  if (!(stageSet.metadata.finalizers ?? []).includes(finalizer))
    return { next: rest(undefined, undefined) };
  if (teardown === undefined) return { next: { kind: 'LoadTeardown' } };
  const deadline = forceDeadline(snapshot);
  const forced = forcedBy(teardown, deadline, now);
  if (forced !== undefined) return { teardown, next: { kind: 'ReleaseFinalizer', forced } };
  const late = now >= deadline;
  if (teardown.failure !== undefined) {
    const retryAt = after(teardown.failure.at, backoff(teardown.failures));
    if (retryAt > now) {
      return {
        teardown,
        next: rest(failing(teardown.failure, deadline), earlier(retryAt, deadline)),
      };
    }
  }
  if (!teardown.loaded) return { teardown, next: { kind: 'LoadTeardown' } };
  for (const [stage, { stage: stageName, step }] of teardown.stages.entries()) {
    switch (step.kind) {
      case 'Gone':
        continue;
      case 'Pending':
        return { teardown, next: { kind: 'DeleteStage', stage } };
      case 'Deleting':
        if (late) continue;
        if (step.nextLook <= now) return { teardown, next: { kind: 'LookForGone', stage } };
        return {
          teardown,
          next: rest(waiting(stageName, step.remaining.length), earlier(step.nextLook, deadline)),
        };
    }
  }
  return { teardown, next: { kind: 'ReleaseFinalizer' } };
}

function forceDeadline({ stageSet, settings }: Snapshot): Instant {
  const deletedAt = Date.parse(stageSet.metadata.deletionTimestamp ?? '');
  return after(instant(deletedAt), settings.maxTeardownWait);
}

/** Failures in a row after which a refusal counts as lasting: RBAC may lag for a moment. */
const lastingRefusal = 3;

/**
 * The time limit ends the waiting, not the attempts: whatever the clock says, every stage is deleted
 * once before the finalizer goes, as after a long outage of the controller.
 */
function forcedBy(
  { stages, failure, failures }: TeardownProgress,
  deadline: Instant,
  now: Instant,
): ForcedTeardown | undefined {
  const last = failure === undefined ? 'objects are still terminating' : failure.message;
  if (failure?.permanent !== undefined && failures >= lastingRefusal) {
    return { cause: failure.permanent, message: last };
  }
  if (between(deadline, now) < 0) return undefined;
  const untried = failure === undefined && stages.some(({ step }) => step.kind === 'Pending');
  const allGone = failure === undefined && stages.every(({ step }) => step.kind === 'Gone');
  return untried || allGone ? undefined : { cause: 'timed_out', message: last };
}

/** Nobody should have to guess what keeps a deleted StageSet, or until when. */
function failing(failure: Failure, deadline: Instant): Verdict {
  const message =
    `Teardown: ${failure.message}; retried until ${toRfc3339(deadline)}, ` +
    'then the finalizer is dropped and what remains stays behind';
  return { status: 'False', reason: failure.reason, message };
}

function waiting(stage: string, objects: number): Verdict {
  const message = `Tearing down stage ${stage}: ${objects} object(s) wait for their finalizers`;
  return { status: 'Unknown', reason: 'Progressing', message };
}

function rest(ready: Verdict | undefined, wakeAt: Instant | undefined): Rest {
  return { kind: 'Rest', ready, wakeAt };
}

function earlier(one: Instant, other: Instant): Instant {
  return one < other ? one : other;
}
