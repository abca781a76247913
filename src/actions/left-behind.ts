import { type JobOwner, readMade } from '../core/actions/action-marks.ts';
import type { MadeObject } from '../core/actions/attempt.ts';
import { referenceTo } from '../core/objects/identity.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { ActionContext } from './action-context.ts';
import { cleanUp } from './clean-up.ts';
import { listMade } from './leftover-jobs.ts';

/** An action that nobody goes on with, and the account that it was done as. */
export type LeftAction = JobOwner &
  Pick<ActionContext, 'client' | 'onTrouble'> & {
    /** What else it is known to have made. */
    readonly made?: readonly MadeObject[];
  };

/**
 * Removes the Jobs of an action that is over, and what was made along with them: the process that
 * should have done so has ended. They are looked for in the namespace of the StageSet.
 */
export async function removeLeftBehind(left: LeftAction, call: CallOptions): Promise<void> {
  const jobs = await listMade(left.stageSet.namespace, left, call);
  const listed = jobs.flatMap((job) => [
    ...readMade(job),
    { ...referenceTo(job), uid: job.metadata.uid ?? '' },
  ]);
  const uids = new Set(listed.map(({ uid }) => uid));
  const made = [...listed, ...(left.made ?? []).filter(({ uid }) => !uids.has(uid))];
  if (made.length > 0) await cleanUp(left, made);
}
