import { missingHealth } from '../core/health/job.ts';
import { healthNeedsRead, objectHealth } from '../core/health/status.ts';
import { identityOf, referenceTo } from '../core/objects/identity.ts';
import type { AwaitedHealth } from '../core/run.ts';
import type { Instant } from '../core/time.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject, ObjectReference } from '../types/kubernetes.ts';
import type { AppliedObject } from './applied-object.ts';
import { objectFailure } from './failures.ts';
import { eachInFlight } from './in-flight.ts';
import { type OwnerSelector, observeLive } from './observe.ts';

/** Health as the answers to the apply tell it; what they cannot tell is `Unknown` for now. */
export function healthOfApplied(applied: readonly AppliedObject[], at: Instant): AwaitedHealth[] {
  return applied.map(({ live, completeness }) => {
    const object = referenceTo(live);
    const ifMissing = missingHealth(live);
    if (completeness === 'Metadata' && healthNeedsRead(object)) {
      return { object, ifMissing, status: 'Unknown', message: 'not read yet' };
    }
    return { object, ifMissing, ...objectHealth(live, at) };
  });
}

/** How many objects of one look are worth a list for each kind instead of a read for each. */
const fewObjects = 3;

/**
 * Reads the objects again whose health can change, all of them: one that was ready at the last look
 * may no longer be. An object that cannot be read is `Unknown`, which is neither ready nor failed.
 */
export async function lookAtHealth(
  before: readonly AwaitedHealth[],
  { client, owner }: { client: KubernetesClient; owner: OwnerSelector },
  at: Instant,
  call: CallOptions,
): Promise<AwaitedHealth[]> {
  const changing = before.filter(mayHaveChanged);
  const live = await readLive(
    changing.map(({ object }) => object),
    client,
    owner,
    call,
  );
  return before.map((report) => {
    if (!mayHaveChanged(report)) return report;
    const { object, ifMissing } = report;
    const found = live.get(identityOf(object));
    if (found === undefined) return { object, ifMissing, ...ifMissing };
    return found instanceof Error
      ? { object, ifMissing, status: 'Unknown', message: found.message }
      : { object, ifMissing, ...objectHealth(found, at) };
  });
}

/** Existing is all that some kinds can do; of those only one that was going away is read again. */
function mayHaveChanged({ object, status }: AwaitedHealth): boolean {
  return healthNeedsRead(object) || status !== 'Current';
}

async function readLive(
  objects: readonly ObjectReference[],
  client: KubernetesClient,
  owner: OwnerSelector,
  call: CallOptions,
): Promise<Map<string, KubernetesObject | Error>> {
  const live = new Map<string, KubernetesObject | Error>();
  if (objects.length > fewObjects) {
    try {
      const listed = await observeLive(objects.map(identified), owner, client, call);
      for (const [key, { object }] of listed) live.set(key, object);
    } catch {
      // A list that fails says nothing of the objects: each of them is asked for below, and what
      // cannot be read then is Unknown, which fails nobody (part A 6.5).
      call.signal.throwIfAborted();
    }
  }
  const missing = objects.filter((object) => !live.has(identityOf(object)));
  const results = await eachInFlight(missing, 8, async (object) => await client.find(object, call));
  for (const [index, object] of missing.entries()) {
    const result = results[index];
    if (result?.status === 'rejected')
      live.set(identityOf(object), objectFailure(object, result.reason));
    else if (result?.value !== undefined) live.set(identityOf(object), result.value);
  }
  return live;
}

function identified({ apiVersion, kind, namespace, name }: ObjectReference): KubernetesObject {
  return { apiVersion, kind, metadata: namespace === undefined ? { name } : { name, namespace } };
}
