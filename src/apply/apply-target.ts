import { setImmediate } from 'node:timers/promises';
import { digestOf } from '../core/hash.ts';
import {
  type ConflictSettings,
  conflictHandling,
  keepExistingAnnotation,
} from '../core/objects/conflict-policy.ts';
import type { StageSetExists } from '../core/objects/foreign-owner.ts';
import { identityOf } from '../core/objects/identity.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { ConflictAction } from '../types/stages.ts';
import type { AppliedMemory } from './applied-memory.ts';
import type { OwnerSelector } from './observe.ts';

/** Where a group is applied, as whom, for whom, and under which rules. */
export interface ApplyTarget {
  /** Acts as the tenant on the cluster that is applied to. */
  readonly client: KubernetesClient;
  /** Prefix of the target's objects in the memory: one for each cluster and identity. */
  readonly scope: string;
  readonly memory: AppliedMemory;
  readonly owner: OwnerSelector;
  readonly stageSetExists: StageSetExists;
  readonly conflicts: ConflictSettings;
}

/** What it depends on how an object is to be. */
type DesireRules = Pick<ApplyTarget, 'scope' | 'conflicts'>;

/** An object as it is to be. */
export interface Desired {
  readonly key: string;
  readonly digest: string;
  readonly object: KubernetesObject;
  readonly onConflict: ConflictAction;
}

/** The object with what applying it needs to know; one that is only kept is marked as such. */
function desire(object: KubernetesObject, { scope, conflicts }: DesireRules): Desired {
  const { action } = conflictHandling(object, conflicts);
  const marked = action === 'KeepExisting' ? withKeepMarker(object) : object;
  return {
    key: `${scope}|${identityOf(object)}`,
    digest: digestOf(marked),
    object: marked,
    onConflict: action,
  };
}

/** Digests take a while: so many are made before others get their turn on the event loop. */
const desiredAtOnce = 200;

/** Every object as it is to be, in the same order. */
export async function desireAll(
  objects: readonly KubernetesObject[],
  target: DesireRules,
): Promise<Desired[]> {
  const desired: Desired[] = [];
  for (const object of objects) {
    if (desired.length > 0 && desired.length % desiredAtOnce === 0) await setImmediate();
    desired.push(desire(object, target));
  }
  return desired;
}

function withKeepMarker(object: KubernetesObject): KubernetesObject {
  const annotations = { ...object.metadata.annotations, [keepExistingAnnotation]: 'true' };
  return { ...object, metadata: { ...object.metadata, annotations } };
}
