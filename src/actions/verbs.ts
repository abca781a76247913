import { typeOf } from '../core/actions/action.ts';
import type { ActionLook, Attempt, Awaited, MadeObject } from '../core/actions/attempt.ts';
import { TerminalError } from '../core/errors.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { HttpAction } from '../types/stages.ts';
import type { ActionContext } from './action-context.ts';
import { attemptApply, lookAtHealth } from './apply.ts';
import { cleanUp } from './clean-up.ts';
import { attemptDelete } from './delete.ts';
import { attemptJob } from './job.ts';
import { type LeftAction, removeLeftBehind } from './left-behind.ts';
import { lookAtExpression } from './look-at-expression.ts';
import { lookAtJobs } from './look-at-jobs.ts';
import { attemptPatch } from './patch.ts';
import { attemptWait } from './wait.ts';

/** Makes the requests of `http` actions. */
export interface HttpCaller {
  readonly call: (context: ActionContext, http: HttpAction, call: CallOptions) => Promise<Attempt>;
}

export interface ActionVerbsOptions {
  readonly http: HttpCaller;
}

/** Does what an action says, each type in its own file. */
export class ActionVerbs {
  readonly #http: HttpCaller;

  constructor({ http }: ActionVerbsOptions) {
    this.#http = http;
  }

  /**
   * One attempt at an action.
   *
   * @throws TerminalError or DeniedError: trying again cannot help; RetryableError, or what the API
   *   server answers, where it may.
   */
  async attempt(context: ActionContext, call: CallOptions): Promise<Attempt> {
    const { action } = context;
    const { job, http, wait, patch, apply } = action;
    if (typeOf(action) === undefined) throw invalid(action.name);
    if (job !== undefined) return await attemptJob(context, job, call);
    if (http !== undefined) return await this.#http.call(context, http, call);
    if (apply !== undefined) return await attemptApply(context, apply, call);
    if (wait !== undefined) return attemptWait(context, wait);
    if (patch !== undefined) return await attemptPatch(context, patch, call);
    if (action.delete !== undefined) return await attemptDelete(context, action.delete, call);
    throw invalid(action.name);
  }

  /** Another look at what an attempt waits for. */
  async look(context: ActionContext, awaited: Awaited, call: CallOptions): Promise<ActionLook> {
    switch (awaited.kind) {
      case 'Jobs':
        return await lookAtJobs(context, awaited, call);
      case 'Health':
        return await lookAtHealth(context, awaited, call);
      case 'Expression':
        return await lookAtExpression(context, awaited, call);
      case 'Time':
        // Nobody has to look at anything: the time is over when it is.
        return { kind: 'NotYet', message: 'waiting for the time to pass', awaited };
    }
  }

  /** Removes what an action that is over has left behind when its process ended. */
  async removeLeftBehind(left: LeftAction, call: CallOptions): Promise<void> {
    await removeLeftBehind(left, call);
  }

  /** Removes what an action made, once its end is on record: best effort, and bounded by itself. */
  async cleanUp(context: ActionContext, made: readonly MadeObject[]): Promise<void> {
    await cleanUp(context, made);
  }
}

function invalid(name: string): TerminalError {
  return new TerminalError(
    `action ${name} must say exactly one thing to do: job, http, wait, patch, delete or apply`,
    { reason: 'InvalidSpec' },
  );
}
