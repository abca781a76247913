import { describeObject, referenceTo } from '../core/objects/identity.ts';
import { onlyTakenByItself } from '../core/objects/immutability.ts';
import type { DeletedObject } from '../core/run.ts';
import { isAlreadyExists, isConflict, isInvalid } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { isJsonObject } from '../kubernetes/shapes.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { ApplyTarget, Desired } from './apply-target.ts';
import { combinedFailure, objectFailure } from './failures.ts';
import { fieldManager } from './field-manager.ts';
import { allFulfilled, eachInFlight, objectsInFlight } from './in-flight.ts';

/** A live object that is to be deleted, so that the desired one can be created in its place. */
export interface Replacement {
  readonly desired: Desired;
  /** uid of the live object. */
  readonly uid: string;
  /** Its version when it was found to be nobody else's. */
  readonly resourceVersion: string;
}

/**
 * Makes sure that the server would create the object, before the live one is deleted for it (part A
 * 5.3, [gap]). A server validates and admits a creation before it notices that the name is taken, so
 * `AlreadyExists` is the proof, under the object's own name, quota and admission rules.
 *
 * @throws ApiError for an object that would not be created.
 */
export async function proveCreatable(
  object: KubernetesObject,
  client: KubernetesClient,
  call: CallOptions,
): Promise<void> {
  try {
    await tryToCreate(object, client, call);
  } catch (error) {
    if (!isInvalid(error) || !onlyTakenByItself(error.causes)) throw error;
    // The live Service has the ports and addresses that the new one will get, and they are looked at
    // first: the rest of it is tried without them.
    await tryToCreate(withoutAllocations(object), client, call);
  }
}

async function tryToCreate(
  object: KubernetesObject,
  client: KubernetesClient,
  call: CallOptions,
): Promise<void> {
  try {
    await client.create(object, { fieldManager, dryRun: 'All' }, call);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

/** A Service without the ports and addresses that it asks for; `None` is no address. */
function withoutAllocations(object: KubernetesObject): KubernetesObject {
  if (!isJsonObject(object['spec'])) return object;
  const spec = { ...object['spec'] };
  if (spec['clusterIP'] !== 'None') {
    delete spec['clusterIP'];
    delete spec['clusterIPs'];
  }
  delete spec['healthCheckNodePort'];
  const { ports } = spec;
  if (Array.isArray(ports)) spec['ports'] = ports.map(withoutNodePort);
  return { ...object, spec };
}

function withoutNodePort(port: unknown): unknown {
  if (!isJsonObject(port)) return port;
  const free = { ...port };
  delete free['nodePort'];
  return free;
}

/**
 * Deletes what is to be replaced, as the tenant: in the background, and only the very object that was
 * looked at. Returns those that finalizers or a grace period still hold.
 *
 * Throws one error that names every object that could not be deleted.
 */
export async function deleteReplaced(
  replacements: readonly Replacement[],
  { client, memory }: ApplyTarget,
  call: CallOptions,
): Promise<DeletedObject[]> {
  const results = await eachInFlight(replacements, objectsInFlight, async (replacement) => {
    const { desired, uid, resourceVersion } = replacement;
    const object = referenceTo(desired.object);
    memory.forget(desired.key);
    try {
      const options = {
        propagationPolicy: 'Background',
        preconditions: { uid, resourceVersion },
      } as const;
      const outcome = await client.delete(object, options, call);
      return outcome === 'Terminating' ? [{ object, uid }] : [];
    } catch (error) {
      // Somebody has changed or replaced it by now; the next try at the group finds out what to do with it.
      if (isConflict(error)) return [];
      throw objectFailure(object, error);
    }
  });
  return allFulfilled(results, combinedFailure).flat();
}

/** Of objects that were deleted, those that are still there. */
export async function stillDeleting(
  deleted: readonly DeletedObject[],
  client: KubernetesClient,
  call: CallOptions,
): Promise<DeletedObject[]> {
  const results = await eachInFlight(deleted, objectsInFlight, async (each) => {
    try {
      const live = await client.find(each.object, call, { as: 'Metadata' });
      return live?.metadata.uid === each.uid ? [each] : [];
    } catch (error) {
      throw objectFailure(each.object, error);
    }
  });
  return allFulfilled(results, combinedFailure).flat();
}

/** Names of what is replaced, for a log. */
export function namesOf(replacements: readonly Replacement[]): string[] {
  return replacements.map(({ desired }) => describeObject(desired.object));
}
