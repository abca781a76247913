import { healthNeedsRead } from '../core/health/status.ts';
import { identityOf } from '../core/objects/identity.ts';
import { nameLabel, namespaceLabel, stageLabel } from '../core/objects/ownership.ts';
import { isForbidden, isNoKindMatch } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { combinedFailure } from './failures.ts';
import { allFulfilled, eachInFlight } from './in-flight.ts';

/** Whose objects to look for, by the labels that everything applied carries (part A 4.8). */
export interface OwnerSelector {
  readonly name: string;
  readonly namespace: string;
  /** Empty for what an action has applied, which carries no stage's label. */
  readonly stage: string;
}

export interface LiveObject {
  readonly object: KubernetesObject;
  /** Kinds whose existence is their health are read as metadata only. */
  readonly completeness: 'Object' | 'Metadata';
}

/** Whether objects are read in full in any case, or only where their health needs it. */
export type LiveExtent = 'AsNeeded' | 'Object';

export function completenessOf(
  reference: Pick<KubernetesObject, 'apiVersion' | 'kind'>,
  extent: LiveExtent,
): LiveObject['completeness'] {
  return extent === 'Object' || healthNeedsRead(reference) ? 'Object' : 'Metadata';
}

type Identified = Pick<KubernetesObject, 'apiVersion' | 'kind'> & {
  readonly metadata: { readonly name: string; readonly namespace?: string };
};

const listsInFlight = 4;

/**
 * The live objects with the owner's labels, by identity, of the kinds and namespaces of `objects`:
 * one list for each, however many objects. A kind that may not be listed, or is not served, is left
 * out.
 */
export async function observeLive(
  objects: readonly Identified[],
  owner: OwnerSelector,
  client: KubernetesClient,
  call: CallOptions,
  extent: LiveExtent = 'AsNeeded',
): Promise<Map<string, LiveObject>> {
  const collections = new Map<string, Identified>();
  for (const object of objects) {
    const { apiVersion, kind, metadata } = object;
    collections.set(`${apiVersion}|${kind}|${metadata.namespace ?? ''}`, object);
  }
  const results = await eachInFlight(
    [...collections.values()],
    listsInFlight,
    async (sample) => await listOwned(sample, owner, client, call, extent),
  );
  const live = new Map<string, LiveObject>();
  for (const found of allFulfilled(results, combinedFailure).flat()) {
    live.set(identityOf(found.object), found);
  }
  return live;
}

async function listOwned(
  { apiVersion, kind, metadata }: Identified,
  owner: OwnerSelector,
  client: KubernetesClient,
  call: CallOptions,
  extent: LiveExtent,
): Promise<LiveObject[]> {
  const completeness = completenessOf({ apiVersion, kind }, extent);
  try {
    const { items } = await client.list(
      {
        apiVersion,
        kind,
        ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
        labelSelector: selectorOf(owner),
        as: completeness,
      },
      call,
    );
    return items.map((object) => ({ object, completeness }));
  } catch (error) {
    // A tenant may be allowed to patch what it may not list; its objects are then applied again.
    if (isForbidden(error) || isNoKindMatch(error)) return [];
    throw error;
  }
}

function selectorOf({ name, namespace, stage }: OwnerSelector): string {
  const ofStage = stage === '' ? `!${stageLabel}` : `${stageLabel}=${stage}`;
  return `${nameLabel}=${name},${namespaceLabel}=${namespace},${ofStage}`;
}
