import type { Action, ActionScope, Stage } from '../../types/stages.ts';
import { positiveDuration } from '../duration.ts';
import { type Duration, milliseconds, minutes } from '../time.ts';
import { migrationActions } from '../version/migration-actions.ts';
import type { PlannedMigration } from '../version/plan-migrations.ts';

/** The lists of a stage that a run works off, in part A 7.1's order; migrations come before all (part B 2.3). */
export type Hook = 'migration' | 'pre' | 'post' | 'onFailure';

/** Those that a spec has under `actions` of a stage. */
export const stageHooks = ['pre', 'post', 'onFailure'] as const satisfies readonly Hook[];

export const hooks = ['migration', ...stageHooks] as const satisfies readonly Hook[];

/** A stage as a run carries it out: with the migrations that the change of the version needs before it. */
export interface RunStage extends Stage {
  readonly migrations?: readonly PlannedMigration[];
}

/** What an action does: the one field of it that says so. */
export type ActionType = 'job' | 'http' | 'wait' | 'patch' | 'delete' | 'apply';

const actionTypes = [
  'job',
  'http',
  'wait',
  'patch',
  'delete',
  'apply',
] as const satisfies readonly ActionType[];

/** The type of a valid action; undefined where none or several are set, which validation refuses. */
export function typeOf(action: Action): ActionType | undefined {
  const set = actionTypes.filter((type) => action[type] !== undefined);
  return set.length === 1 ? set[0] : undefined;
}

/**
 * What decides whether an action that is done is done again (part A 7.4). Only pre and post actions say
 * so: those of onFailure are recorded like any other, so that a run that fails again and again does
 * them once a revision.
 */
export function scopeIn(hook: Hook, action: Action): ActionScope {
  // Once for a change of the version; which of them are done, its plan says.
  if (hook === 'migration') return 'Version';
  return hook === 'onFailure' ? 'Revision' : (action.scope ?? 'Revision');
}

/** The actions of one list of a stage, in order. */
export function actionsOf(stage: RunStage | undefined, hook: Hook): readonly Action[] {
  if (hook === 'migration') return (stage?.migrations ?? []).flatMap(migrationActions);
  return stage?.actions?.[hook] ?? [];
}

/** The actions of a stage that may run only once in its life. */
export function lifetimeActionsOf(stage: Stage): readonly Action[] {
  return hooks.flatMap((hook) =>
    actionsOf(stage, hook).filter((action) => scopeIn(hook, action) === 'Lifetime'),
  );
}

/** How often an action is tried at most. */
export function mostAttempts({ retries }: Action): number {
  return (retries ?? 0) + 1;
}

const longestPause = 5000;

/** The pause after the k-th failed attempt, k from 1: k times 500 ms, at most 5 s (part A 7.2). */
export function pauseAfter(attempt: number): Duration {
  return milliseconds(Math.min(attempt * 500, longestPause));
}

/**
 * How long an action may take, all attempts and pauses included (part A 2.8 and 7.3); undefined where
 * only its single requests are bounded. A value that is not positive means "not set".
 */
export function boundOf(action: Action): Duration | undefined {
  const own = positiveDuration(action.timeout);
  const natural = naturalBound(action);
  if (own === undefined || natural === undefined) return own ?? natural;
  return action.wait === undefined ? own : milliseconds(Math.min(own, natural));
}

function naturalBound({ job, apply, wait }: Action): Duration | undefined {
  if (job !== undefined) return minutes(10);
  if (apply?.wait === true) return minutes(5);
  if (wait !== undefined && positiveDuration(wait.duration) === undefined) {
    return positiveDuration(wait.timeout) ?? minutes(5);
  }
  return undefined;
}

/** Whether starting it again takes up what was begun: a Job is found by its name, a wait does nothing. */
export function isResumable(action: Action): boolean {
  const type = typeOf(action);
  return type === 'job' || type === 'wait';
}

/** Whether an action must not be begun twice, and cannot be taken up again. */
export function runsOnce(hook: Hook, action: Action): boolean {
  return scopeIn(hook, action) === 'Lifetime' && !isResumable(action);
}
