import type { KubernetesObject } from '../../types/kubernetes.ts';
import { sha256Hex } from '../hash.ts';
import { groupOf } from '../objects/identity.ts';
import { longestLabel } from '../objects/label-value.ts';
import { nameLabel, namespaceLabel } from '../objects/ownership.ts';

/** Which action made an object, as `<stage>.<action>` where a label can hold that. */
export const actionLabel = 'stages.metio.wtf/action';
/** For which attempt an object was made: see `Attempting`. */
export const attemptAnnotation = 'stages.metio.wtf/attempt';
/** Digest of what was rendered, without the data of Secrets. */
export const renderedAnnotation = 'stages.metio.wtf/rendered';

/** The `job` action that objects are made for. */
export interface JobOwner {
  readonly stageSet: { readonly namespace: string; readonly name: string };
  readonly stage: string;
  readonly action: { readonly name: string };
}

/** One attempt at it. */
export interface Attempting {
  /** The same for all attempts in a run, also after a restart. */
  readonly idempotencyKey: string;
  /** From 1. */
  readonly attempt: number;
  /** See `epochOf`; empty where nobody knows. */
  readonly epoch: string;
}

/** The attempt as an annotation holds it. */
export function attemptMark({ idempotencyKey, attempt, epoch }: Attempting): string {
  return [idempotencyKey, attempt, hashOfEpoch(epoch)].join('.');
}

/** What an annotation says of the attempt that an object was made for. */
export function readAttempt({ metadata }: KubernetesObject): {
  readonly idempotencyKey: string;
  readonly attempt: string;
  /** Hashed; empty where nobody knew. */
  readonly epoch: string;
} {
  const mark = metadata.annotations?.[attemptAnnotation] ?? '';
  const [idempotencyKey = '', attempt = '', epoch = ''] = mark.split('.');
  return { idempotencyKey, attempt, epoch };
}

function hashOfEpoch(epoch: string): string {
  return epoch === '' ? '' : sha256Hex(epoch).slice(0, 16);
}

/** Whether two objects were made in the same epoch. */
export function ofOneEpoch(one: KubernetesObject, other: KubernetesObject): boolean {
  const { epoch } = readAttempt(one);
  return epoch !== '' && epoch === readAttempt(other).epoch;
}

/** Whether an object is a Job that is waited for. */
export function isJob({
  apiVersion,
  kind,
}: Pick<KubernetesObject, 'apiVersion' | 'kind'>): boolean {
  return kind === 'Job' && groupOf(apiVersion) === 'batch';
}

/** The labels by which an action finds what it has made. */
export function actionLabels({ stageSet, stage, action }: JobOwner): Record<string, string> {
  const name = `${stage}.${action.name}`;
  const fits =
    name.length <= longestLabel && /^[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?$/.test(name);
  return {
    [nameLabel]: stageSet.name,
    [namespaceLabel]: stageSet.namespace,
    [actionLabel]: fits ? name : sha256Hex(name).slice(0, 32),
  };
}
