import { identityOf, referenceTo } from '../core/objects/identity.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { ApplyTarget, Desired } from './apply-target.ts';
import { objectFailure } from './failures.ts';
import { eachInFlight, objectsInFlight } from './in-flight.ts';
import { completenessOf, type LiveExtent, type LiveObject, observeLive } from './observe.ts';

/** More objects than this are looked for by lists first. */
const fewObjects = 3;

/** Live copies of objects by key, and why some could not be read. What does not exist is in neither. */
export interface Found {
  readonly live: ReadonlyMap<string, LiveObject>;
  readonly failures: ReadonlyMap<string, unknown>;
}

/**
 * The live copies of objects: those with the stage's labels by lists, since most are ours, the others
 * one by one.
 */
export async function findLive(
  desired: readonly Desired[],
  { client, owner }: Pick<ApplyTarget, 'client' | 'owner'>,
  call: CallOptions,
  extent: LiveExtent = 'AsNeeded',
): Promise<Found> {
  const objects = desired.map(({ object }) => object);
  const listed =
    objects.length > fewObjects
      ? await observeLive(objects, owner, client, call, extent)
      : new Map<string, LiveObject>();
  const results = await eachInFlight(
    desired,
    objectsInFlight,
    async ({ object }) =>
      listed.get(identityOf(object)) ?? (await readOne(object, client, call, extent)),
  );
  const live = new Map<string, LiveObject>();
  const failures = new Map<string, unknown>();
  for (const [index, { key }] of desired.entries()) {
    const result = results[index];
    if (result?.status === 'rejected') failures.set(key, result.reason);
    else if (result?.value !== undefined) live.set(key, result.value);
  }
  return { live, failures };
}

async function readOne(
  object: Desired['object'],
  client: KubernetesClient,
  call: CallOptions,
  extent: LiveExtent,
): Promise<LiveObject | undefined> {
  const reference = referenceTo(object);
  const completeness = completenessOf(reference, extent);
  try {
    const live = await client.find(reference, call, { as: completeness });
    return live === undefined ? undefined : { object: live, completeness };
  } catch (error) {
    throw objectFailure(reference, error);
  }
}
