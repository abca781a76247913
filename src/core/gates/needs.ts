import type { Hold } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';

/** Whether passing the gate means to do so although its own condition has not been met. */
export function needsOverride({ releasedBy }: Pick<Hold, 'releasedBy'>): boolean {
  return releasedBy !== 'Person';
}

/** What it takes to pass a gate that waits for a person. */
export const advanceNeeds = 'create stagesets/advance in subresources.stages.metio.wtf';

/** What it takes to pass a gate although its own condition has not been met. */
export const overrideNeeds = 'override stagesets/advance in subresources.stages.metio.wtf';

/** What it takes to write the StageSet itself. */
export const patchNeeds = 'patch stagesets in stages.metio.wtf';

/** What it takes to pass a gate that holds. */
export function needsOf(hold: Pick<Hold, 'releasedBy'>): string {
  return needsOverride(hold) ? overrideNeeds : advanceNeeds;
}
