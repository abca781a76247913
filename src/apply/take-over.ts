import { referenceTo } from '../core/objects/identity.ts';
import { isOwnedBy } from '../core/objects/ownership.ts';
import { takeOverPatch } from '../core/objects/take-over.ts';
import { isConflict } from '../kubernetes/api-error.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { ApplyTarget } from './apply-target.ts';
import { fieldManager } from './field-manager.ts';

/** Whether nobody owns the object so far but `kubectl apply`, whose fields are to become ours. */
export function canTakeOver(
  live: KubernetesObject,
  { owner }: Pick<ApplyTarget, 'owner'>,
): boolean {
  return !isOwnedBy(live, owner) && takeOverPatch(live, fieldManager) !== undefined;
}

const attempts = 3;

/**
 * Makes the fields ours that `kubectl apply` manages in a live object, so that the next apply removes
 * those that the manifest does not have. It changes no field that anything runs on, and can be done
 * again. An object that has changed since it was read is read again.
 *
 * @throws what the server says, as it is.
 */
export async function takeOver(
  live: KubernetesObject,
  { client }: ApplyTarget,
  call: CallOptions,
): Promise<void> {
  const reference = referenceTo(live);
  let current: KubernetesObject | undefined = live;
  for (let attempt = 1; ; attempt += 1) {
    const body = current === undefined ? undefined : takeOverPatch(current, fieldManager);
    if (body === undefined) return;
    try {
      await client.patch(reference, { type: 'Json', body, fieldManager }, call);
      return;
    } catch (error) {
      if (!isConflict(error) || attempt === attempts) throw error;
    }
    current = await client.find(reference, call, { as: 'Metadata' });
  }
}
