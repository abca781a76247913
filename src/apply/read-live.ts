import { healthNeedsRead } from '../core/health/status.ts';
import { identityOf } from '../core/objects/identity.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject, ObjectReference } from '../types/kubernetes.ts';
import { objectFailure } from './failures.ts';
import { eachInFlight } from './in-flight.ts';
import { type OwnerSelector, observeLive } from './observe.ts';

/** Who reads, and whose labels the applied objects carry. */
export interface Reader {
  /** Acts as the tenant. */
  readonly client: KubernetesClient;
  readonly owner: OwnerSelector;
}

/** Live objects by identity; an error says why one could not be read, absence that it is not there. */
export type LiveObjects = ReadonlyMap<string, KubernetesObject | Error>;

/** How many objects of one look are worth a list for each kind instead of a read for each. */
const fewObjects = 3;

const inFlight = 8;

/**
 * The live copies of applied objects: by their owner's labels where they are many, and one by one
 * what lists do not show. Of kinds whose existence is their health it may be the metadata only.
 */
export async function readOwned(
  objects: readonly ObjectReference[],
  { client, owner }: Reader,
  call: CallOptions,
): Promise<LiveObjects> {
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
  for (const [key, object] of await readEach(missing, 'Health', client, call)) {
    live.set(key, object);
  }
  return live;
}

/**
 * Reads objects one by one: all of each, or what tells its health, which of a Secret is that it
 * exists and nothing more.
 */
export async function readEach(
  objects: readonly ObjectReference[],
  extent: 'Whole' | 'Health',
  client: KubernetesClient,
  call: CallOptions,
): Promise<LiveObjects> {
  const results = await eachInFlight(objects, inFlight, async (object) => {
    const metadataOnly = extent === 'Health' && !healthNeedsRead(object);
    return await client.find(object, call, metadataOnly ? { as: 'Metadata' } : {});
  });
  call.signal.throwIfAborted();
  const live = new Map<string, KubernetesObject | Error>();
  for (const [index, object] of objects.entries()) {
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
