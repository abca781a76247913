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
