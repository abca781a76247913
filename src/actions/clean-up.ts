import type { MadeObject } from '../core/actions/attempt.ts';
import { referenceTo } from '../core/objects/identity.ts';
import { seconds } from '../core/time.ts';
import { isConflict } from '../kubernetes/api-error.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { ActionContext } from './action-context.ts';

/** How long the removal may take, however the action ended. */
const cleanUpBound = seconds(30);

/**
 * Deletes what an action made, with all that depends on it. What is gone already, or has been replaced
 * by somebody's object of the same name, is left alone. It goes on for its own 30 s when the action's
 * time is over.
 *
 * @throws the first failure, after all have been tried.
 */
export async function cleanUp(
  { client }: Pick<ActionContext, 'client'>,
  made: readonly MadeObject[],
  call: CallOptions,
): Promise<void> {
  const signal = AbortSignal.timeout(cleanUpBound);
  const results = await Promise.allSettled(
    made.map(async (object) => await remove(object, client, { ...call, signal })),
  );
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

async function remove(
  object: MadeObject,
  client: ActionContext['client'],
  call: CallOptions,
): Promise<void> {
  const preconditions = { uid: object.uid };
  try {
    await client.delete(
      referenceTo(object),
      { propagationPolicy: 'Background', preconditions },
      call,
    );
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
}
