import type { InventoryEntry } from '../types/stages.ts';
import type { Rest } from './decide.ts';
import { finalizer } from './finalizer.ts';
import type { Failure, Wait } from './run.ts';
import { backoff } from './schedule.ts';
import type { Snapshot } from './snapshot.ts';
import { after, between, type Instant, instant } from './time.ts';

/** Deletion of a StageSet: its stages go one by one, last one first (part A 2.10). */
export interface TeardownProgress {
  /** In the order of deletion. */
  readonly stages: readonly TeardownStage[];
  /** Failed attempts in a row, and the last of them. */
  readonly failures: number;
  readonly failure:
    | (Failure & { readonly at: Instant; readonly permanent?: PermanentCause })
    | undefined;
}

/** Why waiting cannot help: the API refuses for good, or the identity is gone. */
export type PermanentCause = 'permanent' | 'unauthorized';

export interface TeardownStage {
  readonly stage: string;
  readonly entries: readonly InventoryEntry[];
  readonly step:
    | { readonly kind: 'Pending' }
    /** Deleted, but finalizers may still hold some of it. */
    | ({ readonly kind: 'Deleting' } & Omit<Wait, 'bound' | 'health'> & {
          readonly remaining: readonly InventoryEntry[];
        })
    | { readonly kind: 'Gone' };
}

export type TeardownEffect =
  | { readonly kind: 'LoadTeardown' }
  | { readonly kind: 'DeleteStage'; readonly stage: number }
  | { readonly kind: 'LookForGone'; readonly stage: number }
  | { readonly kind: 'ReleaseFinalizer'; readonly forced?: ForcedTeardown };

/** Why the finalizer is dropped although objects may remain; a label of the force-drop counter. */
export interface ForcedTeardown {
  readonly cause: 'timed_out' | PermanentCause;
  readonly message: string;
}

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
