import type { Snapshot } from '../snapshot.ts';
import type { Instant } from '../time.ts';
import type { Acting } from './acting.ts';
import { runsOnce } from './action.ts';
import { actionAt } from './attempts.ts';

/** What is done for the actions of a stage. */
export type ActionEffect =
  /** Find out which of its actions are done, before anything of the stage is. */
  | { readonly kind: 'EnterStage'; readonly stage: number }
  /** Put on record in the status what is done and what is about to be. */
  | { readonly kind: 'SaveLedgers' }
  /** Make an attempt at the action that is due, or take what came of it. */
  | { readonly kind: 'RunAction'; readonly stage: number }
  | { readonly kind: 'LookAtAction'; readonly stage: number }
  /** Put on record in the StageLedger how a Lifetime action ended. */
  | { readonly kind: 'RecordAction'; readonly stage: number }
  | { readonly kind: 'CleanUpAction'; readonly stage: number };

/** The next thing to do for an action; the time to look at it again where there is nothing now. */
export function actionEffect(
  stage: number,
  { phase }: Acting,
  { attempt, now }: Pick<Snapshot, 'attempt' | 'now'>,
): ActionEffect | Instant | undefined {
  switch (phase.kind) {
    case 'Due':
      if (attempt === 'UnderWay') return undefined;
      if (attempt === 'None' && phase.at > now) return phase.at;
      return { kind: 'RunAction', stage };
    case 'Awaiting':
      if (phase.nextLook > now) return phase.nextLook;
      return phase.awaited.kind === 'Time' ? phase.nextLook : { kind: 'LookAtAction', stage };
    case 'Ended':
      return { kind: 'RecordAction', stage };
    case 'CleaningUp':
      return { kind: 'CleanUpAction', stage };
  }
}

/**
 * Whether something that an action did is not on record yet, so that neither a suspension nor a newer
 * snapshot may take the run's place: an attempt goes on, or its end is known to us alone.
 */
export function isCommitted({ run, attempt }: Pick<Snapshot, 'run' | 'attempt'>): boolean {
  if (run === undefined || run.outcome !== undefined) return false;
  if (run.unsaved === true) return true;
  const index = run.stages.findIndex(({ step }) => step.kind !== 'Ready');
  const at = actionAt(run, index);
  if (at === undefined) return false;
  const { action, step } = at;
  const { phase } = step;
  if (phase.kind === 'Ended' || phase.kind === 'CleaningUp' || attempt !== 'None') return true;
  // What was begun and may not be begun twice goes on to its end, which nobody could tell otherwise.
  const isBegun = phase.kind !== 'Due' || step.attempt > 1;
  return isBegun && runsOnce(step.hook, action);
}
