import type { ObjectMeta, OwnerReference } from '../../types/kubernetes.ts';
import { type StageInventory, stagesApiVersion } from '../../types/stages.ts';
import { sha256Hex } from '../hash.ts';
import { labelValue } from '../objects/label-value.ts';
import { applySetAnnotationsOf, applySetId, applySetIdLabel } from './apply-set.ts';
import type { RecordedStage } from './deletion.ts';
import { sortedById } from './sets.ts';

/** Labels of a StageInventory (part A 5.7). */
export const stageSetLabel = 'stages.metio.wtf/stage-set';
export const stageLabel = 'stages.metio.wtf/stage';
export const shardLabel = 'stages.metio.wtf/shard';

export interface ShardInput extends RecordedStage {
  readonly stageSet: { readonly metadata: Pick<ObjectMeta, 'name' | 'namespace' | 'uid'> };
  /** Most entries of one shard, at least 1. */
  readonly cap: number;
}

/**
 * The StageInventories that hold a stage's entries: sorted by id and cut into shards, a single empty
 * one for a stage without objects (part A 5.7). The first one is the parent of the ApplySet of all of
 * them (KEP-3659): it names the kinds and namespaces of what is recorded, so that they are a superset
 * of what exists for as long as something is to be pruned.
 *
 * @throws RangeError for a cap below 1, TerminalError for names that do not fit into a label.
 */
export function shardsFor({
  stageSet,
  stage,
  position,
  entries,
  cap,
}: ShardInput): StageInventory[] {
  if (!Number.isSafeInteger(cap) || cap < 1) {
    throw new RangeError(`a shard must hold at least 1 entry, not ${cap}`);
  }
  const sorted = sortedById(entries);
  const count = Math.max(1, Math.ceil(sorted.length / cap));
  return Array.from({ length: count }, (_, shard) => ({
    apiVersion: stagesApiVersion,
    kind: 'StageInventory',
    metadata: {
      ...shardMetadata(stageSet, stage, shard),
      ...(shard === 0
        ? { annotations: applySetAnnotationsOf(entries, stageSet.metadata.namespace) }
        : {}),
    },
    spec: {
      stagePosition: position,
      entries: sorted.slice(shard * cap, (shard + 1) * cap).map(({ id, v }) => ({ id, v })),
    },
  }));
}

function shardMetadata(
  { metadata: { name, namespace, uid } }: ShardInput['stageSet'],
  stage: string,
  shard: number,
): ObjectMeta {
  const owner: OwnerReference = {
    apiVersion: stagesApiVersion,
    kind: 'StageSet',
    name,
    uid: uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
  const ownName = shardName(name, stage, shard);
  return {
    name: ownName,
    ...(namespace === undefined ? {} : { namespace }),
    labels: {
      [stageSetLabel]: labelValue(name, 'StageSet'),
      [stageLabel]: labelValue(stage, 'stage'),
      [shardLabel]: String(shard),
      ...(shard === 0
        ? { [applySetIdLabel]: applySetId({ name: ownName, namespace: namespace ?? '' }) }
        : {}),
    },
    ownerReferences: [owner],
  };
}

const longestName = 253;

/**
 * `<stageset>-<stage>-<NN>-<hash>`. The hash is over the lengths too, so that StageSet `a-b` with
 * stage `c` and `a` with `b-c` get different names.
 */
export function shardName(stageSet: string, stage: string, shard: number): string {
  const hashed = [stageSet.length, stageSet, stage.length, stage, shard].join('/');
  const hash = sha256Hex(hashed).slice(0, 10);
  const readable = `${stageSet}-${stage}-${String(shard).padStart(2, '0')}`;
  const cut = readable.slice(0, longestName - hash.length - 1).replace(/[-.]+$/, '');
  return `${cut}-${hash}`;
}

/**
 * Names of stored shards of a stage that are none of those it should have (part A 5.7), the highest
 * number first: were it otherwise, a stop half way would leave a gap that looks like a lost shard.
 */
export function surplusShards(
  stored: readonly StageInventory[],
  wanted: readonly StageInventory[],
): string[] {
  const names = new Set(wanted.map(({ metadata }) => metadata.name));
  return stored
    .filter(({ metadata }) => !names.has(metadata.name))
    .sort((one, other) => shardNumber(other) - shardNumber(one))
    .map(({ metadata }) => metadata.name);
}

/** The number that a stored shard's label tells, -1 where it tells none. */
export function shardNumber({ metadata }: StageInventory): number {
  const label = metadata.labels?.[shardLabel] ?? '';
  return /^\d{1,9}$/.test(label) ? Number(label) : -1;
}
