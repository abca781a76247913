import type { OwnerSelector } from '../apply/observe.ts';
import type { Stage, StageSet } from '../types/stages.ts';

export function ownerOf({ metadata }: StageSet): { name: string; namespace: string } {
  return { name: metadata.name, namespace: metadata.namespace ?? '' };
}

/** By which labels the objects of a stage are found. */
export function selectorOf(stageSet: StageSet, stage: Stage): OwnerSelector {
  return { ...ownerOf(stageSet), stage: stage.name };
}

/** Prefix of a StageSet's objects in the memory of what was applied: one for each identity. */
export function scopeOf(identity: string, { metadata }: StageSet): string {
  return `${identity}|${metadata.uid ?? ''}`;
}
