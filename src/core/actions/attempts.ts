import type { Action } from '../../types/stages.ts';
import { formatDuration } from '../duration.ts';
import type { Failure } from '../failure.ts';
import { redact } from '../redact.ts';
import { type RunProgress, type StageStep, withStep } from '../run.ts';
import { nextLook } from '../schedule.ts';
import { after, earlier, type Instant, milliseconds, minutes, toRfc3339 } from '../time.ts';
import type { Acting, ActionPhase } from './acting.ts';
import { actionsOf, boundOf, type Hook, mostAttempts, pauseAfter } from './action.ts';
import type { ActionLook, Attempt, MadeObject } from './attempt.ts';

type ActingStep = Extract<StageStep, { kind: 'Acting' }>;

/** The action that a stage of a run is at; undefined when it is at none. */
export function actionAt(
  run: RunProgress,
  index: number,
): { readonly action: Action; readonly step: ActingStep } | undefined {
  const step = run.stages[index]?.step;
  if (step?.kind !== 'Acting') return undefined;
  const action = actionsOf(run.spec.stages[index], step.hook).find(
    ({ name }) => name === step.action,
  );
  return action === undefined ? undefined : { action, step };
}

/** The `op` of an action's failure (part B 9.4). */
export function operationOfHook(hook: Hook): string {
  switch (hook) {
    case 'migration':
      return 'migration';
    case 'pre':
      return 'pre-action';
    case 'post':
      return 'post-action';
    case 'onFailure':
      return 'on-failure action';
  }
}

/** The `op` of a failure of the action that a stage is at. */
export function operationAt(run: RunProgress, index: number): string {
  return operationOfHook(actionAt(run, index)?.step.hook ?? 'pre');
}

const longestAskedPause = minutes(1);

/** Something of an earlier attempt is looked at again so soon. */
const obstructedPause = milliseconds(1000);

/** The run after an attempt that did not fail. */
export function attempted(
  run: RunProgress,
  index: number,
  attempt: Attempt,
  now: Instant,
): RunProgress {
  const at = actionAt(run, index);
  if (at === undefined) return run;
  switch (attempt.kind) {
    case 'Done':
      return withPhase(run, index, at.step, { kind: 'Ended', made: [] });
    case 'Obstructed': {
      const step = { ...at.step, trouble: attempt.message };
      return withPhase(run, index, step, { kind: 'Due', at: after(now, obstructedPause) });
    }
    case 'Await': {
      const { awaited } = attempt;
      const due = earlier(nextLook(now, 0), deadlineOf(at.action, at.step));
      return withPhase(run, index, at.step, { kind: 'Awaiting', awaited, looks: 0, nextLook: due });
    }
  }
}

/** How and when an action was looked at. */
export interface LookedHow {
  readonly now: Instant;
  readonly news: 'Watched' | 'Polled';
  /** Values of Secrets, which what was found may quote, and the status must not. */
  readonly secrets: ReadonlySet<string>;
}

/** The run after another look at what an action waits for. */
export function lookedAtAction(
  run: RunProgress,
  index: number,
  look: Exclude<ActionLook, { kind: 'Failed' }>,
  { now, news, secrets }: LookedHow,
): RunProgress {
  const at = actionAt(run, index);
  if (at?.step.phase.kind !== 'Awaiting') return run;
  const { phase } = at.step;
  if (look.kind === 'Done') {
    return withPhase(run, index, at.step, { kind: 'Ended', made: madeBy(at.step) });
  }
  const looks = phase.looks + 1;
  const steady = nextLook(now, looks, news);
  const end = deadlineOf(at.action, at.step);
  // One look falls on the end of the time, since what counts then is how things are then.
  const due = end !== undefined && now < end ? earlier(steady, end) : steady;
  const { awaited, message } = look;
  const found = redact(message, secrets);
  return withPhase(run, index, at.step, { ...phase, awaited, looks, nextLook: due, found });
}

/**
 * The run after an attempt that failed: there is another one, after a pause, while its number and its
 * time allow it and trying again can help; otherwise the action has failed (part A 7.2).
 */
export function failedAction(
  run: RunProgress,
  index: number,
  failure: Failure,
  chance: 'Again' | 'Final' | 'Unknown',
  now: Instant,
): RunProgress {
  const at = actionAt(run, index);
  if (at === undefined) return run;
  const { action, step } = at;
  // Another server may ask for any time.
  const asked = Math.min(failure.retryAfter ?? 0, longestAskedPause);
  const pause = milliseconds(Math.max(pauseAfter(step.attempt), asked));
  const due = after(now, pause);
  const end = deadlineOf(action, step);
  const again =
    chance === 'Again' && step.attempt < mostAttempts(action) && (end === undefined || due < end);
  if (again) {
    const next = { ...step, attempt: step.attempt + 1, trouble: failure.message };
    return withPhase({ ...run, unsaved: true }, index, next, { kind: 'Due', at: due });
  }
  const tries = step.attempt === 1 ? '' : ` after ${step.attempt} attempts`;
  const message = `action ${action.name}${tries}: ${failure.message}`;
  return withPhase(run, index, step, {
    kind: 'Ended',
    made: madeBy(step),
    failure: { ...failure, message },
    ...(chance === 'Unknown' ? { unknown: true } : {}),
  });
}

/** What is there only for the action, and goes when that is over. */
function madeBy({ phase }: Acting): readonly MadeObject[] {
  return phase.kind === 'Awaiting' && phase.awaited.kind === 'Jobs' ? phase.awaited.made : [];
}

/** What it means that the time of an action is over. */
export function timedOut(action: Action, step: Acting, found?: string): Failure {
  const bound = boundOf(action);
  const within = bound === undefined ? '' : ` within ${formatDuration(bound)}`;
  const last = found ?? step.trouble;
  const message = `not done${within}, since ${toRfc3339(step.startedAt)}${last === undefined ? '' : `: ${last}`}`;
  const operation = operationOfHook(step.hook);
  return { reason: 'StageFailed', operation, message, retry: 'Backoff' };
}

/** When the time of an action is over; undefined when only its requests are bounded. */
export function deadlineOf(action: Action, { startedAt }: Acting): Instant | undefined {
  const bound = boundOf(action);
  return bound === undefined ? undefined : after(startedAt, bound);
}

/** Whether the time of an action is over. */
export function isOver(action: Action, step: Acting, now: Instant): boolean {
  const end = deadlineOf(action, step);
  return end !== undefined && now >= end;
}

/** The run with what an action made gone. */
export function cleanedUp(run: RunProgress, index: number): RunProgress {
  const at = actionAt(run, index);
  if (at === undefined) return run;
  const { phase } = at.step;
  return phase.kind === 'CleaningUp' ? withPhase(run, index, at.step, { ...phase, made: [] }) : run;
}

function withPhase(
  run: RunProgress,
  index: number,
  step: ActingStep,
  phase: ActionPhase,
): RunProgress {
  return withStep(run, index, { ...step, phase });
}
