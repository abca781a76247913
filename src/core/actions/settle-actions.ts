import type { Action, Stage } from '../../types/stages.ts';
import { positiveDuration } from '../duration.ts';
import type { Failure } from '../failure.ts';
import {
  type RunProgress,
  type StageProgress,
  type StageStep,
  withStage,
  withStep,
} from '../run.ts';
import type { Snapshot } from '../snapshot.ts';
import { after, type Instant, instant } from '../time.ts';
import type { Acting, ActionEnd, ActionPhase, ActionRecord, ActionWait } from './acting.ts';
import { actionsOf, type Hook, isResumable, scopeIn, typeOf } from './action.ts';
import { actionAt, failedAction, isOver, timedOut } from './attempts.ts';
import { answersTo, escalated, failedByHalt } from './escalation.ts';
import { hasActions, standingOf, withDone } from './ledger.ts';
import {
  hasMigrations,
  migrationBegun,
  migrationStepDone,
  withMigrationFailed,
  withMigrationsDone,
} from './migrations.ts';

/** What of a snapshot the course of actions depends on. */
type Moment = Pick<Snapshot, 'now' | 'attempt'>;

/**
 * The run with the actions of its current stage moved as far as what is known allows: what is done
 * is put on the stage's ledger, and the next one that has to be done begins (part A 7.1). A stage that
 * failed does its `onFailure` actions first; then its run has failed.
 */
export function settleActions(run: RunProgress, moment: Moment): RunProgress {
  let settled = run;
  for (;;) {
    const next = settleOnce(settled, moment);
    if (next === settled) return settled;
    settled = next;
  }
}

/** A stage of a run as its actions see it. */
interface Place {
  readonly run: RunProgress;
  readonly index: number;
  readonly progress: StageProgress;
  readonly stage: Stage;
  readonly moment: Moment;
}

function settleOnce(run: RunProgress, moment: Moment): RunProgress {
  if (run.outcome !== undefined) return run;
  const index = run.stages.findIndex(({ step }) => step.kind !== 'Ready');
  const progress = run.stages[index];
  const stage = run.spec.stages[index];
  if (progress === undefined || stage === undefined) return run;
  const place: Place = { run, index, progress, stage, moment };
  // What is corrected has been rolled out with its actions.
  const acts = run.correction === undefined && hasActions(stage);
  const { step } = progress;
  switch (step.kind) {
    case 'Pending': {
      const begun = step.acted === true || progress.ledger === undefined;
      if (!acts || begun) return run;
      if (step.migrated !== true && hasMigrations(stage)) return workOff(place, migrations);
      if (actionsOf(stage, 'pre').length === 0) return run;
      return workOff(place, { hook: 'pre', from: 0, then: { kind: 'Pending', acted: true } });
    }
    case 'Verified':
      if (!acts) return withStep(run, index, { kind: 'AtGates' });
      return workOff(place, { hook: 'post', from: 0, then: { kind: 'AtGates' } });
    case 'Acting':
      return settleActing(place, step);
    case 'Failed':
      if (!acts || step.answered === true || !answersTo(step.failure)) {
        return ended(run, stage, step.failure, moment.now);
      }
      return answer(place, step.failure, 0);
    case 'Applying':
    case 'Recreating':
    case 'Establishing':
    case 'Verifying':
    case 'AtGates':
    case 'Ready':
      return run;
  }
}

function ended(run: RunProgress, { name }: Stage, failure: Failure, now: Instant): RunProgress {
  return { ...run, outcome: { kind: 'Failed', at: now, stage: name, failure } };
}

function answer(place: Place, failure: Failure, from: number): RunProgress {
  const then: StageStep = { kind: 'Failed', failure, answered: true };
  return workOff(place, { hook: 'onFailure', from, then, cause: failure });
}

/** Migrations come before all that belongs to the stage (part B 2.3). */
const migrations: List = {
  hook: 'migration',
  from: 0,
  then: { kind: 'Pending', migrated: true },
};

interface List {
  readonly hook: Hook;
  /** Position in the list of the first that is not behind us. */
  readonly from: number;
  /** The step that follows the list. */
  readonly then: StageStep;
  readonly cause?: Failure;
}

/** Begins the next action of a list that has to be done; after the last one, the list is done. */
function workOff(place: Place, list: List): RunProgress {
  const { run, index, progress, stage, moment } = place;
  const { ledger } = progress;
  if (ledger === undefined) return withStep(run, index, list.then);
  let acts = progress.acts ?? [];
  for (const action of actionsOf(stage, list.hook).slice(list.from)) {
    const standing = standingOf(list.hook, action, ledger);
    if (standing.verdict === 'Halted') {
      const failure = failedByHalt(stage, action, standing.reason);
      return withStep(run, index, { kind: 'Failed', failure });
    }
    if (standing.verdict === 'WillRun') {
      return withActs(begin(place, list, action, moment.now), index, acts);
    }
    acts = [...acts, skipped(list.hook, action, standing.reason)];
  }
  const done = list.hook === 'migration' ? withMigrationsDone(run, stage) : run;
  return withActs(withStep(done, index, list.then), index, acts);
}

function skipped(hook: Hook, action: Action, message: string): ActionRecord {
  return { ...named(hook, action), outcome: 'Skipped', message };
}

function named(hook: Hook, action: Action): Pick<ActionRecord, 'hook' | 'name' | 'type'> {
  return { hook, name: action.name, type: typeOf(action) ?? 'wait' };
}

function withActs(run: RunProgress, index: number, acts: readonly ActionRecord[]): RunProgress {
  return withStage(run, index, (progress) => ({ ...progress, acts }));
}

/** A pass that has something to do is no mere re-assertion, and is on record as a run. */
function begin(place: Place, list: List, action: Action, now: Instant): RunProgress {
  const { run, index, progress } = place;
  const { hook, cause } = list;
  const { ledger } = progress;
  const before = ledger?.resumed;
  const goesOn = before?.hook === hook && before.name === action.name;
  const begun = goesOn ? Date.parse(before.startedAt) : Number.NaN;
  const startedAt = Number.isNaN(begun) ? now : instant(begun);
  const acting: Acting = {
    hook,
    action: action.name,
    attempt: goesOn ? before.attempt : 1,
    startedAt,
    phase: firstPhase(action, startedAt, now, goesOn),
    ...(cause === undefined ? {} : { cause }),
  };
  const rest: RunProgress = {
    ...run,
    purpose: run.purpose === 'Reassert' ? 'Retry' : run.purpose,
    unsaved: true,
    ...migrationBegun(run, action),
  };
  return withStage(rest, index, (stage) => ({
    ...stage,
    step: { kind: 'Acting', ...acting },
    ...(ledger === undefined ? {} : { ledger: { ...ledger, resumed: undefined } }),
  }));
}

/** A wait for time alone has nothing to attempt; its end is counted from its first beginning. */
function firstPhase(
  action: Action,
  startedAt: Instant,
  now: Instant,
  goesOn: boolean,
): ActionPhase {
  const pause = positiveDuration(action.wait?.duration);
  if (pause === undefined) {
    return { kind: 'Due', at: now, ...(goesOn && isResumable(action) ? { takesUp: true } : {}) };
  }
  const until = after(startedAt, pause);
  return { kind: 'Awaiting', awaited: { kind: 'Time', until }, looks: 0, nextLook: until };
}

function settleActing(place: Place, step: Extract<StageStep, { kind: 'Acting' }>): RunProgress {
  const { run, stage, moment } = place;
  const action = actionsOf(stage, step.hook).find(({ name }) => name === step.action);
  if (action === undefined) return run;
  const { phase } = step;
  switch (phase.kind) {
    case 'Due': {
      // What was begun may have ended well while nobody looked.
      if (phase.takesUp === true) return run;
      if (moment.attempt !== 'None' || !isOver(action, step, moment.now)) return run;
      return failedAction(run, place.index, timedOut(action, step), 'Final', moment.now);
    }
    case 'Awaiting':
      return settleWait(place, step, action, phase);
    case 'Ended':
      // What may be done once only is on record first, which is an effect of its own.
      if (scopeIn(step.hook, action) === 'Lifetime') return run;
      return concluded(run, place.index, phase, moment.now);
    case 'CleaningUp':
      return phase.made.length > 0 ? run : goOn(place, step, phase.failure);
  }
}

function settleWait(
  { run, index, moment }: Place,
  step: Extract<StageStep, { kind: 'Acting' }>,
  action: Action,
  { awaited, nextLook, found }: ActionWait,
): RunProgress {
  const { now } = moment;
  if (awaited.kind === 'Time' && now >= awaited.until) {
    return withStep(run, index, { ...step, phase: { kind: 'Ended', made: [] } });
  }
  // A look is overdue: what was seen last must not decide that the time is over.
  if (awaited.kind !== 'Time' && nextLook <= now) return run;
  if (!isOver(action, step, now)) return run;
  return failedAction(run, index, timedOut(action, step, found), 'Final', now);
}

/**
 * Puts an action that is over on the stage's ledger; what it made goes next. One of scope Lifetime is on
 * record in the StageLedger by then.
 */
export function concluded(
  run: RunProgress,
  index: number,
  { made, failure }: ActionEnd,
  now: Instant,
): RunProgress {
  const at = actionAt(run, index);
  if (at === undefined) return run;
  const { action, step } = at;
  const { hook } = step;
  const record: ActionRecord = {
    ...named(hook, action),
    outcome: failure === undefined ? 'Succeeded' : 'Failed',
    startedAt: step.startedAt,
    finishedAt: now,
    ...(failure === undefined ? {} : { message: failure.message }),
  };
  const counted = failure === undefined ? migrationStepDone(run, action) : {};
  const noted = withStage({ ...run, ...counted, unsaved: true }, index, (progress) => ({
    ...progress,
    acts: [...(progress.acts ?? []), record],
    ...(failure === undefined && progress.ledger !== undefined
      ? { ledger: withDone(progress.ledger, hook, action) }
      : {}),
  }));
  const phase = {
    kind: 'CleaningUp',
    made,
    ...(failure === undefined ? {} : { failure }),
  } as const;
  return withStep(noted, index, { ...step, phase });
}

/** The list goes on behind an action that is done; one that failed ends it, but for onFailure. */
function goOn(
  place: Place,
  step: Extract<StageStep, { kind: 'Acting' }>,
  failure: Failure | undefined,
): RunProgress {
  const { run, index, stage } = place;
  const { hook, cause } = step;
  if (failure !== undefined && hook === 'migration') {
    return withMigrationFailed(run, index, step.action, failure);
  }
  if (failure !== undefined && hook !== 'onFailure') {
    return withStep(...escalated(run, index, stage, failure));
  }
  const from = actionsOf(place.stage, hook).findIndex(({ name }) => name === step.action) + 1;
  switch (hook) {
    case 'migration':
      return workOff(place, { ...migrations, from });
    case 'pre':
      return workOff(place, { hook, from, then: { kind: 'Pending', acted: true } });
    case 'post':
      return workOff(place, { hook, from, then: { kind: 'AtGates' } });
    case 'onFailure':
      return cause === undefined ? place.run : answer(place, cause, from);
  }
}
