import type { Attempt } from '../core/actions/attempt.ts';
import { isConflict, isForbidden } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { objectError } from '../kubernetes/object-error.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { DeleteOptions } from '../kubernetes/writes.ts';
import type { KubernetesObject, ObjectReference } from '../types/kubernetes.ts';
import type { DeleteAction } from '../types/stages.ts';
import type { ActionContext } from './action-context.ts';
import { apiVersionFor } from './target.ts';

/** How often an object that is created anew all the time is read again before another attempt must do. */
const mostReads = 3;

/**
 * Deletes an object as the tenant (part A 7.3), whoever it belongs to. None there is a success, and
 * nobody waits until it has disappeared. The one that was read is the one that goes: an object that
 * is created anew between two attempts of the client is not hit by the second. A tenant that may
 * delete and not read does without that.
 */
export async function attemptDelete(
  context: ActionContext,
  action: DeleteAction,
  call: CallOptions,
): Promise<Attempt> {
  const { client } = context;
  const { kind, name, namespace: elsewhere = '' } = action.target;
  const namespace = elsewhere === '' ? context.stageSet.namespace : elsewhere;
  let reference = { apiVersion: action.target.apiVersion ?? '', kind, namespace, name };
  try {
    reference = { ...reference, apiVersion: await apiVersionFor(action.target, client, call) };
    await remove(reference, action.cascade ?? 'Background', client, call);
    return { kind: 'Done' };
  } catch (error) {
    throw objectError('delete', reference, error);
  }
}

async function remove(
  reference: ObjectReference,
  propagationPolicy: NonNullable<DeleteOptions['propagationPolicy']>,
  client: KubernetesClient,
  call: CallOptions,
): Promise<void> {
  for (let reads = 1; ; reads += 1) {
    const live = await read(reference, client, call);
    if (live === undefined) return;
    const { uid } = live === 'Unreadable' ? {} : live.metadata;
    const preconditions = uid === undefined ? {} : { preconditions: { uid } };
    try {
      await client.delete(reference, { propagationPolicy, ...preconditions }, call);
      return;
    } catch (error) {
      if (!isConflict(error) || uid === undefined || reads >= mostReads) throw error;
    }
  }
}

async function read(
  reference: ObjectReference,
  client: KubernetesClient,
  call: CallOptions,
): Promise<KubernetesObject | 'Unreadable' | undefined> {
  try {
    return await client.find(reference, call, { as: 'Metadata' });
  } catch (error) {
    if (isForbidden(error)) return 'Unreadable';
    throw error;
  }
}
