import { RetryableError } from '../core/errors.ts';
import { healthNeedsRead } from '../core/health/status.ts';
import { foreignOwner } from '../core/objects/foreign-owner.ts';
import { referenceTo } from '../core/objects/identity.ts';
import { isOwnedBy, stageLabel } from '../core/objects/ownership.ts';
import { hasUnknownOrigin } from '../core/objects/take-over.ts';
import { isConflict } from '../kubernetes/api-error.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { recordOf } from './applied-memory.ts';
import type { AppliedObject } from './applied-object.ts';
import type { ApplyTarget, Desired } from './apply-target.ts';
import { objectFailure } from './failures.ts';
import { fieldManager } from './field-manager.ts';
import { takeOver } from './take-over.ts';

/** One object to be written, with what its validation found out. */
export interface Write {
  readonly desired: Desired;
  /** resourceVersion of the live object, empty when there was none. */
  readonly before: string;
  /** The live object when nobody owned it so far. */
  readonly adopted?: KubernetesObject;
}

/**
 * A resourceVersion that no object has any more. Server-side apply creates an object whatever version
 * it names, and refuses with a conflict to change one of another version: so it creates or fails.
 */
const neverCurrent = '1';

/**
 * Writes one object and remembers it.
 *
 * @throws the failure of the object, with its name: see `objectFailure`.
 */
export async function writeObject(
  { desired, before, adopted }: Write,
  target: ApplyTarget,
  call: CallOptions,
): Promise<AppliedObject> {
  const { key, digest, object } = desired;
  const { memory } = target;
  memory.forget(key);
  try {
    const applied =
      before === ''
        ? await create(desired, target, call)
        : { live: await change(object, adopted, target, call), existed: true };
    if (applied === undefined) return await skipped(desired, target, call);
    const { live, existed } = applied;
    memory.remember(key, recordOf(live, digest, target.owner.stage));
    // An apply that changes nothing is not written and so does not move the resourceVersion.
    const same = before === live.metadata.resourceVersion;
    const outcome = existed ? (same ? 'Unchanged' : 'Configured') : 'Created';
    return { live, completeness: 'Object', outcome };
  } catch (error) {
    throw objectFailure(referenceTo(object), error);
  }
}

/** Undefined when the object came into being meanwhile and is to be kept as it is. */
async function create(
  { object, onConflict }: Desired,
  { client, owner }: ApplyTarget,
  call: CallOptions,
): Promise<{ live: KubernetesObject; existed: boolean } | undefined> {
  const options = { fieldManager, force: true };
  const metadata = { ...object.metadata, resourceVersion: neverCurrent };
  try {
    return { live: await client.apply({ ...object, metadata }, options, call), existed: false };
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
  if (onConflict === 'KeepExisting') return undefined;
  // The request may have been repeated because its answer was lost: then the object is our own.
  const live = await client.find(referenceTo(object), call, { as: 'Metadata' });
  const own = live !== undefined && isOwnedBy(live, owner);
  if (own && (live.metadata.labels?.[stageLabel] ?? '') === owner.stage) {
    return { live: await client.apply(object, options, call), existed: false };
  }
  throw new RetryableError('somebody else has just created it; the next attempt sees who owns it');
}

async function change(
  object: KubernetesObject,
  adopted: KubernetesObject | undefined,
  target: ApplyTarget,
  call: CallOptions,
): Promise<KubernetesObject> {
  const options = { fieldManager, force: true };
  if (adopted === undefined) return await target.client.apply(object, options, call);
  await takeOver(adopted, target, call);
  const live = await adopt(object, target, call);
  if (!hasUnknownOrigin(live)) return live;
  // The server knew of no manager at all: only now it has a name for whoever set the fields before.
  await takeOver(live, target, call);
  return await target.client.apply(object, options, call);
}

/**
 * Applies to an object that nobody owned when it was judged, as it is now: whoever takes it in between
 * has it, and the write is refused by its resourceVersion.
 */
async function adopt(
  object: KubernetesObject,
  { client, owner, stageSetExists }: ApplyTarget,
  call: CallOptions,
): Promise<KubernetesObject> {
  const live = await client.find(referenceTo(object), call, { as: 'Metadata' });
  if (live === undefined || foreignOwner(live, object, owner, stageSetExists) !== undefined) {
    throw takenMeanwhile();
  }
  const { resourceVersion } = live.metadata;
  const metadata = {
    ...object.metadata,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  try {
    return await client.apply({ ...object, metadata }, { fieldManager, force: true }, call);
  } catch (error) {
    if (isConflict(error)) throw takenMeanwhile();
    throw error;
  }
}

function takenMeanwhile(): RetryableError {
  return new RetryableError(
    'somebody else has changed it while it was taken over; the next attempt sees who owns it',
  );
}

async function skipped(
  { object }: Desired,
  { client }: ApplyTarget,
  call: CallOptions,
): Promise<AppliedObject> {
  const reference = referenceTo(object);
  const completeness = healthNeedsRead(reference) ? 'Object' : 'Metadata';
  const live = await client.get(reference, call, { as: completeness });
  return { live, completeness, outcome: 'Skipped' };
}
