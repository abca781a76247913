import type { Attempt } from '../core/actions/attempt.ts';
import { TerminalError } from '../core/errors.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { JobAction } from '../types/stages.ts';
import type { ActionContext } from './action-context.ts';

/** Creates the objects of the action's artifact and waits for its Jobs. */
export function attemptJob(
  { action }: ActionContext,
  _job: JobAction,
  _call: CallOptions,
): Promise<Attempt> {
  return Promise.reject(new TerminalError(`action ${action.name}: job is not built yet`));
}
