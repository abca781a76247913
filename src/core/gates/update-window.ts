import type { PendingUpdate } from '../../types/stages.ts';
import type { RunProgress } from '../run.ts';
import { type Instant, timeOf, toRfc3339, toWholeSecond } from '../time.ts';
import { noteAnnotation } from './annotation-passage.ts';
import type { EntryGate, EntryQuestion } from './entry-gate.ts';
import { pendingRevisions } from './pending-revisions.ts';
import { withOverride } from './run-overrides.ts';
import { decideWindowGate } from './window-hold.ts';

/**
 * The update windows (part B 1.4). They are asked before a rollout begins, and again before each of
 * its stages: a rollout that has begun goes on inside a stage, but enters no further one.
 */
export const updateWindow: EntryGate = (question) => {
  const { run, index, snapshot, novelty, passed } = question;
  const { spec } = run;
  if ((spec.updateWindows ?? []).length === 0) return { kind: 'Open' };
  const { stageSet, now } = snapshot;
  const next = withOverride('Update', run, stageSet, novelty);
  const overridden = next.overrides?.Update?.effective === true;
  const asked = {
    stageSet,
    spec,
    newRevisions: bringsNews(question),
    now,
    since: recordedSince(question),
  };
  const verdict = decideWindowGate({ ...asked, overridden: false });
  if (verdict.kind === 'Open') return { kind: 'Open', run: next };
  if (passed.has('UpdateWindow')) return { kind: 'Open', run: next };
  if (overridden) {
    return { kind: 'Open', run: noteAnnotation(next, index, 'UpdateWindow', 'Update') };
  }
  const { hold, message, until, scope } = verdict;
  const frozen = scope === 'All';
  return {
    kind: 'Held',
    run: next,
    hold: {
      holds: [hold],
      reason: 'UpdateDeferred',
      message,
      until: until === undefined ? undefined : toWholeSecond(until),
      deployed: novelty.deployed,
      frozen,
      pendingUpdate: pendingUpdate(run, asked.newRevisions, until, hold.since),
    },
  };
};

/** Before it has begun, a rollout is held as a whole, whichever of its stages is new. */
function bringsNews({ index, novelty }: EntryQuestion): boolean {
  if (index === 0 && !novelty.begun) return novelty.revisions;
  return novelty.stages[index] === true;
}

/** A hold goes on where it is about the same revisions, also after a restart. */
function recordedSince({ run, snapshot }: EntryQuestion): Instant | undefined {
  const { pendingUpdate: recorded } = snapshot.stageSet.status ?? {};
  const wanted = pendingRevisions(run);
  const known = Object.entries(recorded?.revisions ?? {});
  const same = known.every(([source, revision]) => wanted[source] === revision);
  return same ? timeOf(recorded?.since) : undefined;
}

function pendingUpdate(
  run: RunProgress,
  newRevisions: boolean,
  opens: Instant | undefined,
  since: string | undefined,
): PendingUpdate {
  return {
    revisions: newRevisions ? pendingRevisions(run) : {},
    ...(opens === undefined ? {} : { nextWindowOpens: toRfc3339(toWholeSecond(opens)) }),
    ...(since === undefined ? {} : { since }),
  };
}
