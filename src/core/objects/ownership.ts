import type { KubernetesObject } from '../../types/kubernetes.ts';
import { TerminalError } from '../errors.ts';
import { applySetId, applySetPartOfLabel } from '../inventory/apply-set.ts';
import { shardName } from '../inventory/shards.ts';
import { describeObject, identityOf, referenceTo } from './identity.ts';
import { labelValue } from './label-value.ts';

/** Labels that every applied object carries (part A 4.8), besides that of its ApplySet. */
export const nameLabel = 'stages.metio.wtf/name';
export const namespaceLabel = 'stages.metio.wtf/namespace';
export const stageLabel = 'stages.metio.wtf/stage';

/** A managed object with this label or annotation set to `disabled` is never deleted. */
const pruneKey = 'stages.metio.wtf/prune';

export interface StageSetOwner {
  readonly name: string;
  readonly namespace: string;
}

export interface StageOwner extends StageSetOwner {
  readonly stage: string;
}

/** Whether objects of a kind have a namespace, on the cluster that they are applied to. */
export type ScopeOf = (apiVersion: string, kind: string) => 'Namespaced' | 'Cluster' | undefined;

/**
 * Copies of the objects with their owner's labels and the namespace that their kind asks for: the
 * StageSet's where a namespaced object names none, none where a cluster-scoped one names one.
 *
 * @throws TerminalError when a name does not fit into a label, or when two of the objects turn out
 * to be the same one.
 */
export function stampOwnership(
  objects: readonly KubernetesObject[],
  owner: StageOwner,
  scopeOf: ScopeOf,
): KubernetesObject[] {
  return stampLabels(objects, ownerLabels(owner), owner, scopeOf, 'stage');
}

/** As `stampOwnership`, for what an action applies: no stage has it, and none prunes it (part A 7.3). */
export function stampActionOwnership(
  objects: readonly KubernetesObject[],
  owner: StageSetOwner,
  scopeOf: ScopeOf,
): KubernetesObject[] {
  return stampLabels(objects, stageSetLabels(owner), owner, scopeOf, 'artifact');
}

function stampLabels(
  objects: readonly KubernetesObject[],
  labels: Record<string, string>,
  owner: StageSetOwner,
  scopeOf: ScopeOf,
  whole: 'stage' | 'artifact',
): KubernetesObject[] {
  const stamped = objects.map((object) => {
    const { namespace, ...metadata } = object.metadata;
    const home = homeOf(object, namespace, owner, scopeOf);
    return {
      ...object,
      metadata: {
        ...metadata,
        ...(home === undefined ? {} : { namespace: home }),
        labels: { ...metadata.labels, ...labels },
      },
    };
  });
  refuseTwins(stamped, whole);
  return stamped;
}

/** Two manifests may differ in their namespace until both have got the default. */
function refuseTwins(objects: readonly KubernetesObject[], whole: string): void {
  const seen = new Set<string>();
  for (const object of objects) {
    const identity = identityOf(object);
    if (seen.has(identity)) {
      throw new TerminalError(
        `the ${whole} contains ${describeObject(object)} twice; remove one of its manifests`,
        { object: referenceTo(object) },
      );
    }
    seen.add(identity);
  }
}

function homeOf(
  { apiVersion, kind }: KubernetesObject,
  namespace: string | undefined,
  owner: StageSetOwner,
  scopeOf: ScopeOf,
): string | undefined {
  switch (scopeOf(apiVersion, kind)) {
    case 'Cluster':
      return undefined;
    case 'Namespaced':
      return namespace === undefined || namespace === '' ? owner.namespace : namespace;
    case undefined:
      return namespace === '' ? undefined : namespace;
  }
}

function ownerLabels({ name, namespace, stage }: StageOwner): Record<string, string> {
  return {
    ...stageSetLabels({ name, namespace }),
    [stageLabel]: labelValue(stage, 'stage'),
    [applySetPartOfLabel]: applySetIdOfStage({ name, namespace, stage }),
  };
}

function stageSetLabels({ name, namespace }: StageSetOwner): Record<string, string> {
  return {
    [nameLabel]: labelValue(name, 'StageSet'),
    [namespaceLabel]: labelValue(namespace, 'namespace'),
  };
}

/** The id of a stage's ApplySet (KEP-3659), whose parent is the first shard of its inventory. */
function applySetIdOfStage({ name, namespace, stage }: StageOwner): string {
  return applySetId({ name: shardName(name, stage, 0), namespace });
}

/** Whether a live object still carries both labels of this StageSet. */
export function isOwnedBy({ metadata }: KubernetesObject, owner: StageSetOwner): boolean {
  const labels = metadata.labels ?? {};
  return labels[nameLabel] === owner.name && labels[namespaceLabel] === owner.namespace;
}

/** Whether somebody asked on the object itself that it be kept, as a label or an annotation. */
export function pruneDisabled({ metadata }: KubernetesObject): boolean {
  return [metadata.labels, metadata.annotations].some(
    (map) => map?.[pruneKey]?.toLowerCase() === 'disabled',
  );
}
