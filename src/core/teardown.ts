import type { Failure } from './failure.ts';
import { finalizer } from './finalizer.ts';
import type { Rest, Verdict } from './rest.ts';
import { backoffAfter } from './schedule.ts';
import type { Snapshot } from './snapshot.ts';
import type {
  ForcedTeardown,
  TeardownEffect,
  TeardownProgress,
  TeardownStage,
} from './teardown-progress.ts';
import { lastingCause, patienceEnds, type TeardownTrouble } from './teardown-trouble.ts';
import { after, earlier, type Instant, instant, toRfc3339 } from './time.ts';

interface TeardownDecision {
  readonly teardown?: TeardownProgress;
  readonly next: TeardownEffect | Rest;
}

/**
 * The deletion of a StageSet: its stages go one after the other, and the finalizer when all are gone.
 *
 * A stage that can never be deleted, by what the API server says or because the time is over, is left
 * behind, and those after it in the order are deleted all the same: every stage is attempted once,
 * whatever the clock says, as after a long outage. Only then is the finalizer dropped by force.
 */
export function decideTeardown(snapshot: Snapshot): TeardownDecision {
  const { stageSet, teardown, now } = snapshot;
  if (!(stageSet.metadata.finalizers ?? []).includes(finalizer))
    return { next: rest(undefined, undefined) };
  if (teardown === undefined) return { next: { kind: 'LoadTeardown' } };
  const deadline = forceDeadline(snapshot);
  if (!teardown.loaded) return { teardown, next: load(teardown, deadline, now) };
  for (const [index, stage] of teardown.stages.entries()) {
    const next = nextFor(stage, index, deadline, now);
    if (next !== undefined) return { teardown, next };
  }
  const left = teardown.stages.filter(({ step }) => step.kind !== 'Gone');
  if (left.length === 0) return { teardown, next: { kind: 'ReleaseFinalizer' } };
  return { teardown, next: { kind: 'ReleaseFinalizer', forced: forcedBy(left) } };
}

function forceDeadline({ stageSet, settings }: Snapshot): Instant {
  const deletedAt = Date.parse(stageSet.metadata.deletionTimestamp ?? '');
  return after(instant(deletedAt), settings.maxTeardownWait);
}

function load(
  { trouble }: TeardownProgress,
  deadline: Instant,
  now: Instant,
): TeardownEffect | Rest {
  if (trouble === undefined) return { kind: 'LoadTeardown' };
  if (now >= deadline || lastingCause(trouble) !== undefined) {
    return { kind: 'ReleaseFinalizer', forced: forcedBy([{ trouble }]) };
  }
  return backingOff(trouble, deadline, now) ?? { kind: 'LoadTeardown' };
}

/** What to do for a stage; undefined when it is gone, or when nothing more can be done for it. */
function nextFor(
  { stage: name, step, trouble }: TeardownStage,
  stage: number,
  deadline: Instant,
  now: Instant,
): TeardownEffect | Rest | undefined {
  const late = now >= deadline;
  if (step.kind === 'Gone' || (step.kind === 'Deleting' && late)) return undefined;
  if (trouble !== undefined) {
    if (late || lastingCause(trouble) !== undefined) return undefined;
    const pause = backingOff(trouble, deadline, now);
    if (pause !== undefined) return pause;
  }
  if (step.kind === 'Pending') return { kind: 'DeleteStage', stage };
  if (step.nextLook <= now) return { kind: 'LookForGone', stage };
  return rest(waiting(name, step.remaining.length), earlier(step.nextLook, deadline));
}

function backingOff(
  { failure, failures, refusal }: TeardownTrouble,
  deadline: Instant,
  now: Instant,
): Rest | undefined {
  const retryAt = after(failure.at, backoffAfter(failure, failures));
  if (retryAt <= now) return undefined;
  const end = refusal === undefined ? deadline : earlier(patienceEnds(refusal), deadline);
  return rest(failing(failure, end), earlier(retryAt, deadline));
}

/** A refusal explains more than the time that it took. */
function forcedBy(left: readonly Pick<TeardownStage, 'trouble'>[]): ForcedTeardown {
  const causes = left.flatMap(({ trouble }) =>
    trouble === undefined ? [] : (lastingCause(trouble) ?? []),
  );
  const messages = left.map(
    ({ trouble }) => trouble?.failure.message ?? 'objects are still terminating',
  );
  return { cause: causes[0] ?? 'timed_out', message: [...new Set(messages)].join('; ') };
}

/** Nobody should have to guess what keeps a deleted StageSet, or until when. */
function failing(failure: Failure, end: Instant): Verdict {
  const message =
    `Teardown: ${failure.message}; retried until ${toRfc3339(end)}, ` +
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
