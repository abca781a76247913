import type { ObjectMeta } from '../../types/kubernetes.ts';
import {
  type PinnedStage,
  type RunTrigger,
  type StageRun,
  type StageSet,
  stagesApiVersion,
} from '../../types/stages.ts';
import { cutMessage } from '../conditions.ts';
import { labelValue } from '../objects/label-value.ts';
import type { RunProgress } from '../run.ts';
import { directionBetween, directionOf } from '../version/direction.ts';
import type { NewestRun } from './newest-run.ts';

/** On every StageRun: the name of its StageSet. */
export const stageRunLabel = 'stages.metio.wtf/stageset';

/** Whether a StageRun is of this StageSet; one of an earlier StageSet of the same name is not. */
export function isRunOf({ metadata }: { metadata: ObjectMeta }, uid: string | undefined): boolean {
  return (metadata.ownerReferences ?? []).some((owner) => owner.uid === uid);
}

/** The number in the name of a record; undefined where the name is not one of this StageSet's. */
export function numberIn(runName: string, stageSet: string): number | undefined {
  if (!runName.startsWith(`${stageSet}-`)) return undefined;
  const digits = runName.slice(stageSet.length + 1);
  const number = /^[1-9]\d*$/.test(digits) ? Number(digits) : NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}

/** What a new record says besides what the run itself tells. */
export interface NewRecord {
  readonly before: NewestRun | undefined;
  /** Numbers up to this one are taken by records of others, which have their names from them. */
  readonly taken?: number;
  readonly trigger: RunTrigger;
  /** Authenticated user who asked for the run, where that is known. */
  readonly requestedBy: string | undefined;
}

/** The record of a run that begins, without a status yet. */
export function newStageRun(
  stageSet: StageSet,
  run: RunProgress,
  { before, taken = 0, trigger, requestedBy }: NewRecord,
): StageRun {
  const sequence = Math.max(before?.sequence ?? 0, taken) + 1;
  return {
    apiVersion: stagesApiVersion,
    kind: 'StageRun',
    metadata: metadataOf(stageSet, sequence),
    spec: {
      runId: run.id,
      sequence,
      trigger,
      ...(requestedBy === undefined ? {} : { requestedBy: cutMessage(requestedBy, 512) }),
      generation: run.generation,
      snapshot: run.pinned.flatMap((_, index) => pinnedStage(stageSet, run, index)),
      ...versionOf(stageSet, run),
    },
  };
}

function versionOf(
  { status }: StageSet,
  { desiredVersion: to, version }: RunProgress,
): Pick<NonNullable<StageRun['spec']>, 'version'> {
  if (to === undefined) return {};
  const from = status?.version ?? '';
  const direction = version === undefined ? directionBetween(from, to) : directionOf(version.plan);
  return { version: { ...(from === '' ? {} : { from }), to, direction } };
}

function metadataOf({ metadata }: StageSet, sequence: number): ObjectMeta {
  const { name, namespace, uid = '' } = metadata;
  return {
    name: `${name}-${sequence}`,
    ...(namespace === undefined ? {} : { namespace }),
    labels: { [stageRunLabel]: labelValue(name, 'StageSet') },
    ownerReferences: [
      {
        apiVersion: stagesApiVersion,
        kind: 'StageSet',
        name,
        uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  };
}

function pinnedStage(
  { metadata }: StageSet,
  { spec, pinned }: RunProgress,
  index: number,
): PinnedStage[] {
  const artifact = pinned[index];
  const stage = spec.stages[index];
  if (artifact === undefined || stage === undefined) return [];
  const { apiVersion, kind, name, namespace = metadata.namespace } = stage.sourceRef;
  return [
    {
      stage: stage.name,
      sourceRef: {
        ...(apiVersion === undefined ? {} : { apiVersion }),
        kind: kind ?? 'ExternalArtifact',
        name,
        ...(namespace === undefined ? {} : { namespace }),
      },
      revision: cutMessage(artifact.revision, 1024),
      digest: artifact.digest,
    },
  ];
}
