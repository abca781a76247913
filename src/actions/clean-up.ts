import { isJob } from '../core/actions/action-marks.ts';
import type { MadeObject } from '../core/actions/attempt.ts';
import { referenceTo } from '../core/objects/identity.ts';
import { seconds } from '../core/time.ts';
import { isConflict } from '../kubernetes/api-error.ts';
import { objectError } from '../kubernetes/object-error.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { ActionContext } from './action-context.ts';

/** How long the removal may take, however the action ended. */
const cleanUpBound = seconds(30);

type CleaningContext = Pick<ActionContext, 'client' | 'onTrouble'>;

/**
 * Deletes what an action made, with all that depends on it; the Jobs last, by which the rest is found
 * when the process ends in between. What is gone already, or has been replaced
 * by somebody's object of the same name, is left alone. It has 30 s of its own, since the action's
 * time may be over. What cannot be removed fails nothing: it is told, and stays.
 */
export async function cleanUp(
  { client, onTrouble }: CleaningContext,
  made: readonly MadeObject[],
): Promise<void> {
  const call = { signal: AbortSignal.timeout(cleanUpBound) };
  const removeAll = async (objects: readonly MadeObject[]): Promise<void> => {
    await Promise.all(
      objects.map(async (object) => {
        try {
          await remove(object, 'Background', client, call);
        } catch (error) {
          const told = objectError('delete', referenceTo(object), error);
          onTrouble?.(told instanceof Error ? told.message : String(told));
        }
      }),
    );
  };
  await removeAll(made.filter((object) => !isJob(object)));
  await removeAll(made.filter(isJob));
}

/** Deletes exactly this object; another one of its name is left alone. */
export async function remove(
  object: MadeObject,
  propagationPolicy: 'Background' | 'Foreground',
  client: ActionContext['client'],
  call: CallOptions,
): Promise<void> {
  const preconditions = { uid: object.uid };
  try {
    await client.delete(referenceTo(object), { propagationPolicy, preconditions }, call);
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
}
