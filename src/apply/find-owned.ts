import type { GroupKind } from '../core/inventory/apply-set.ts';
import { entryOf } from '../core/inventory/entry.ts';
import type { Search } from '../core/inventory/search.ts';
import { apiVersionOf, groupOf } from '../core/objects/identity.ts';
import {
  nameLabel,
  namespaceLabel,
  type StageSetOwner,
  stageLabel,
} from '../core/objects/ownership.ts';
import { ApiError, isNoKindMatch, isUnauthorized } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { ListQuery } from '../kubernetes/lists.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { InventoryEntry } from '../types/stages.ts';
import { combinedFailure } from './failures.ts';
import { fieldManager } from './field-manager.ts';
import { allFulfilled, eachInFlight } from './in-flight.ts';
import { mayDeleteIn } from './may-delete.ts';

const inFlight = 8;

/** What was found by labels alone. */
export interface FoundObjects {
  /** Objects by the stage that their label names. */
  readonly byStage: ReadonlyMap<string, readonly InventoryEntry[]>;
  /** Kinds of which not all that was looked for could be listed: `Kind.group`, sorted. */
  readonly unlisted: readonly string[];
}

/** The whole StageSet's objects, or those of one stage. */
export interface OwnerQuery extends StageSetOwner {
  readonly stage?: string;
}

/**
 * Finds the objects that carry the owner's labels (part A 5.9), one list for each kind over all
 * namespaces; who may not do that lists the named namespaces one by one. The error of one kind does
 * not stop the others. Only what we have applied counts, by its managedFields: controllers copy
 * labels, as from a Service to its EndpointSlices, and anybody may write them. What the identity may
 * not delete where it is, is left out too and its kind told as unlisted: whoever labels an object of
 * their own must not hold up a prune or a teardown.
 *
 * Throws when the API server does not answer, or does not know the identity.
 */
export async function findOwned(
  { kinds, namespaces }: Search,
  owner: OwnerQuery,
  client: KubernetesClient,
  call: CallOptions,
): Promise<FoundObjects> {
  const results = await eachInFlight(kinds, inFlight, async (kind) => {
    const { objects, complete } = await listKind(kind, namespaces, owner, client, call);
    const ours = objects.filter(({ metadata }) => appliedByUs(metadata));
    const { allowed, refused } = await deletable(ours, client, call);
    return { objects: allowed, unlisted: complete && !refused ? [] : [nameOf(kind)] };
  });
  call.signal.throwIfAborted();
  const lists = allFulfilled(results, combinedFailure);
  const byStage = new Map<string, InventoryEntry[]>();
  for (const object of lists.flatMap(({ objects }) => objects)) {
    const stage = object.metadata.labels?.[stageLabel];
    // An action has applied it: that is never pruned (part A 7.3).
    if (stage === undefined) continue;
    const entries = byStage.get(stage) ?? [];
    entries.push(entryOf(object));
    byStage.set(stage, entries);
  }
  return { byStage, unlisted: lists.flatMap(({ unlisted }) => unlisted).sort() };
}

/** Of objects of one kind, those in namespaces where the identity may delete that kind. */
async function deletable(
  objects: readonly KubernetesObject[],
  client: KubernetesClient,
  call: CallOptions,
): Promise<{ allowed: readonly KubernetesObject[]; refused: boolean }> {
  const namespaces = new Map<string, boolean>();
  for (const object of objects) {
    const namespace = object.metadata.namespace ?? '';
    if (namespaces.has(namespace)) continue;
    namespaces.set(namespace, await mayDeleteIn(object, client, call));
  }
  const allowed = objects.filter(({ metadata }) => namespaces.get(metadata.namespace ?? ''));
  return { allowed, refused: allowed.length < objects.length };
}

/** The kinds whose objects can be listed and deleted, each in one version. */
export async function deletableKinds(
  client: KubernetesClient,
  call: CallOptions,
): Promise<GroupKind[]> {
  const kinds = new Map<string, GroupKind>();
  for (const { apiVersion, kind, verbs } of await client.discovery.all(call)) {
    // Nobody applies events, and there may be very many.
    if (kind === 'Event' || !verbs.includes('list') || !verbs.includes('delete')) continue;
    const group = groupOf(apiVersion);
    kinds.set(`${kind}.${group}`, { group, kind });
  }
  return [...kinds.values()];
}

interface ListedKind {
  readonly objects: readonly KubernetesObject[];
  readonly complete: boolean;
}

async function listKind(
  { group, kind }: GroupKind,
  namespaces: readonly string[],
  owner: OwnerQuery,
  client: KubernetesClient,
  call: CallOptions,
): Promise<ListedKind> {
  const query = { kind, labelSelector: selectorOf(owner), as: 'Metadata' } as const;
  try {
    const apiVersion = await servedVersion(group, kind, client, call);
    // Its definition is gone, and took its objects along.
    if (apiVersion === undefined) return { objects: [], complete: true };
    const everywhere = await listOnce({ ...query, apiVersion }, client, call);
    const { scope } = await client.discovery.mappingFor(apiVersion, kind, call);
    if (everywhere !== undefined || scope === 'Cluster') {
      return { objects: everywhere ?? [], complete: everywhere !== undefined };
    }
    const lists: (readonly KubernetesObject[] | undefined)[] = [];
    for (const namespace of namespaces) {
      lists.push(await listOnce({ ...query, apiVersion, namespace }, client, call));
    }
    const objects = lists.flatMap((list) => list ?? []);
    return { objects, complete: lists.every((list) => list !== undefined) };
  } catch (error) {
    if (!isAboutKind(error)) throw error;
    return { objects: [], complete: false };
  }
}

/** The objects, or undefined where the API server answers with an error that is about the kind. */
async function listOnce(
  query: ListQuery,
  client: KubernetesClient,
  call: CallOptions,
): Promise<readonly KubernetesObject[] | undefined> {
  try {
    return (await client.list(query, call)).items;
  } catch (error) {
    if (!isAboutKind(error)) throw error;
    return undefined;
  }
}

async function servedVersion(
  group: string,
  kind: string,
  client: KubernetesClient,
  call: CallOptions,
): Promise<string | undefined> {
  try {
    return apiVersionOf(group, await client.discovery.preferredVersion(kind, group, call));
  } catch (error) {
    if (isNoKindMatch(error)) return undefined;
    throw error;
  }
}

/** Whether the answer says something of the kind, and nothing of the identity or the server. */
function isAboutKind(error: unknown): boolean {
  return error instanceof ApiError && !isUnauthorized(error) && error.code !== 429;
}

function nameOf({ group, kind }: GroupKind): string {
  return group === '' ? kind : `${kind}.${group}`;
}

function appliedByUs({ managedFields }: KubernetesObject['metadata']): boolean {
  return JSON.stringify(managedFields ?? []).includes(`"manager":"${fieldManager}"`);
}

function selectorOf({ name, namespace, stage }: OwnerQuery): string {
  const owner = `${nameLabel}=${name},${namespaceLabel}=${namespace}`;
  return stage === undefined ? owner : `${owner},${stageLabel}=${stage}`;
}
