import { finalizer } from './finalizer.ts';
import type { Rest } from './rest.ts';
import { backoff } from './schedule.ts';
import type { Snapshot } from './snapshot.ts';
import type { ForcedTeardown, TeardownEffect, TeardownProgress } from './teardown-progress.ts';
import { after, between, type Instant, instant } from './time.ts';

interface TeardownDecision {
  readonly teardown?: TeardownProgress;
  readonly next: TeardownEffect | Rest;
}

export function decideTeardown(snapshot: Snapshot): TeardownDecision {
  const { stageSet, teardown, now } = snapshot;
  if (!(stageSet.metadata.finalizers ?? []).includes(finalizer)) return { next: rest(undefined) };
  const deadline = forceDeadline(snapshot);
  const forced = forcedBy(teardown, deadline, now);
  if (forced !== undefined) return { teardown, next: { kind: 'ReleaseFinalizer', forced } };
  if (teardown?.failure !== undefined) {
    const retryAt = after(teardown.failure.at, backoff(teardown.failures));
    if (retryAt > now) return { teardown, next: rest(earlier(retryAt, deadline)) };
  }
  if (teardown === undefined) return { next: { kind: 'LoadTeardown' } };
  for (const [stage, { step }] of teardown.stages.entries()) {
    switch (step.kind) {
      case 'Gone':
        continue;
      case 'Pending':
        return { teardown, next: { kind: 'DeleteStage', stage } };
      case 'Deleting':
        if (step.nextLook <= now) return { teardown, next: { kind: 'LookForGone', stage } };
        return { teardown, next: rest(earlier(step.nextLook, deadline)) };
    }
  }
  return { teardown, next: { kind: 'ReleaseFinalizer' } };
}

function forceDeadline({ stageSet, settings }: Snapshot): Instant {
  const deletedAt = Date.parse(stageSet.metadata.deletionTimestamp ?? '');
  return after(instant(deletedAt), settings.maxTeardownWait);
}

function forcedBy(
  teardown: TeardownProgress | undefined,
  deadline: Instant,
  now: Instant,
): ForcedTeardown | undefined {
  const failure = teardown?.failure;
  const last = failure === undefined ? 'objects are still terminating' : failure.message;
  if (failure?.permanent !== undefined) return { cause: failure.permanent, message: last };
  return between(deadline, now) >= 0 ? { cause: 'timed_out', message: last } : undefined;
}

function rest(wakeAt: Instant | undefined): Rest {
  return { kind: 'Rest', ready: undefined, wakeAt };
}

function earlier(one: Instant, other: Instant): Instant {
  return one < other ? one : other;
}
