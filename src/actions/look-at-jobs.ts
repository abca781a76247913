import type { ActionLook, Awaited } from '../core/actions/attempt.ts';
import { TerminalError } from '../core/errors.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { ActionContext } from './action-context.ts';

/** Whether the Jobs of an action have ended. */
export function lookAtJobs(
  { action }: ActionContext,
  _awaited: Extract<Awaited, { kind: 'Jobs' }>,
  _call: CallOptions,
): Promise<ActionLook> {
  return Promise.reject(new TerminalError(`action ${action.name}: job is not built yet`));
}
