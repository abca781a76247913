import type { Rest, Verdict } from '../rest.ts';
import { jittered, retryIntervalOf } from '../schedule.ts';
import type { Snapshot } from '../snapshot.ts';
import { after, minutes } from '../time.ts';
import { describeProblems } from '../validate/field-problem.ts';

/** A person has stopped it (part A 2.3, step 3). */
export function suspended({ spec }: Snapshot): Rest | undefined {
  if (spec.suspend !== true) return undefined;
  const message = 'Suspended: set spec.suspend to false to resume';
  return {
    kind: 'Rest',
    ready: { status: 'False', reason: 'Suspended', message },
    wakeAt: undefined,
  };
}

/** Nobody can carry the spec out (part A 2.3, step 5). */
export function specRefused({ problems, now }: Snapshot): Rest | undefined {
  if (problems.length === 0) return undefined;
  const message = describeProblems(problems);
  const ready: Verdict = { status: 'False', reason: 'InvalidSpec', message };
  return { kind: 'Rest', ready, wakeAt: after(now, minutes(1)) };
}

/** Every stage's source must be there before the cluster is touched (part A 2.3, step 7). */
export function sourceUnavailable(snapshot: Snapshot): Rest | undefined {
  const { sources, now, spec, settings, stageSet } = snapshot;
  for (const source of sources) {
    if (source.kind === 'Ready') continue;
    const waits = source.reason === 'SourceNotReady' || source.reason === 'ArtifactNotFound';
    const pause = waits
      ? jittered(retryIntervalOf(spec, settings), `${stageSet.metadata.uid ?? ''}/${now}`)
      : minutes(1);
    const ready: Verdict = { status: 'False', reason: source.reason, message: source.message };
    if (source.retry === 'Backoff') {
      return { kind: 'Rest', ready, wakeAt: undefined, retry: 'Backoff' };
    }
    return { kind: 'Rest', ready, wakeAt: after(now, pause) };
  }
  return undefined;
}
