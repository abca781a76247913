import type { PlannedAction } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { Stage } from '../../types/stages.ts';
import { actionsOf, hooks, typeOf } from './action.ts';
import { type ActionLedger, standingOf, withDone } from './ledger.ts';

/** What becomes of each action of a stage, by the same judgement as a run's. */
export function plannedActions(stage: Stage, ledger: ActionLedger): PlannedAction[] {
  return hooks.flatMap((hook) =>
    actionsOf(stage, hook).map((action): PlannedAction => {
      const { verdict, scope, reason } = standingOf(hook, action, ledger);
      const type = typeOf(action) ?? 'unknown';
      const why = hook === 'onFailure' ? `only if the stage fails; ${reason}` : reason;
      return { hook, name: action.name, type, verdict, scope, reason: why };
    }),
  );
}

/** The ledger of a stage all of whose actions are done: what comes behind them can be told then. */
export function supposedDone(stage: Stage, ledger: ActionLedger): ActionLedger {
  let done = ledger;
  for (const hook of hooks) {
    for (const action of actionsOf(stage, hook)) done = withDone(done, hook, action);
  }
  return done;
}
