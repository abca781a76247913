import { hasActed, type RunOutcome, type RunProgress } from '../run.ts';
import type { Snapshot } from '../snapshot.ts';
import { entryGates } from './entry-gates.ts';
import type { GateHold } from './gate-hold.ts';
import { noveltyOf } from './novelty.ts';

/**
 * The run with the gates before its next stage asked, in the order of part B: it may enter, it is
 * held, or something must be found out. A held run that is asked again goes on where it was held.
 * What a gate holds back is asked at each look until the stage has begun, and never inside one.
 */
export function settleEntry(run: RunProgress, snapshot: Snapshot): RunProgress {
  const { outcome, correction } = run;
  if (correction !== undefined) return run;
  if (outcome !== undefined && outcome.kind !== 'Held') return run;
  const index = run.stages.findIndex(({ step }) => step.kind !== 'Ready');
  const stage = run.stages[index];
  if (stage?.step.kind !== 'Pending' || hasActed(stage.step)) return run;
  let current: RunProgress = { ...run, outcome: undefined, asks: [] };
  const novelty = noveltyOf(snapshot.stageSet, run);
  const advances = snapshot.advances.filter(({ runId }) => runId === run.id);
  const passed = new Set<string>(stage.passed);
  for (const { advance } of advances) {
    if (advance.stage === stage.name) passed.add(advance.gate);
  }
  for (const gate of entryGates) {
    const verdict = gate({ run: current, index, stage: stage.name, snapshot, novelty, passed });
    current = verdict.run ?? current;
    if (verdict.kind === 'Ask') return { ...current, outcome, asks: verdict.asks };
    if (verdict.kind === 'Held') {
      return { ...current, outcome: held(stage.name, verdict.hold, outcome, snapshot) };
    }
  }
  return asRollout(current, novelty.stages[index] === true, snapshot);
}

/** Ready must not go on saying that all is delivered while something new is. */
function asRollout(run: RunProgress, isNew: boolean, { stageSet }: Snapshot): RunProgress {
  const ready = stageSet.status?.conditions?.find(({ type }) => type === 'Ready');
  const misleads = isNew && ready?.status === 'True' && run.purpose !== 'Rollout';
  return misleads ? { ...run, purpose: 'Rollout' } : run;
}

/** Asked again and again, a hold that stays the same keeps its time. */
function held(
  stage: string,
  hold: GateHold,
  before: RunProgress['outcome'],
  { now }: Snapshot,
): RunOutcome {
  const same = before?.kind === 'Held' && before.hold.reason === hold.reason;
  return { kind: 'Held', at: same ? before.at : now, stage, hold };
}
