import type { InventoryEntry } from '../../types/stages.ts';
import {
  inDeletionOrder,
  lastStageFirst,
  type PrunableStage,
  type RecordedStage,
  stagesThatKeep,
} from './deletion.ts';
import { difference } from './sets.ts';

/** One stage's objects to delete, in that order. */
export interface StageDeletion {
  readonly stage: string;
  readonly deletions: readonly InventoryEntry[];
}

/**
 * What goes when a StageSet is deleted (part A 2.10): all recorded stages, those that left the spec
 * included, highest recorded position first. A stage that has `prune: false` in the spec is left
 * out, and so is what it records, even where another stage records it too.
 */
export function planTeardown(
  recorded: readonly RecordedStage[],
  stages: readonly PrunableStage[],
): StageDeletion[] {
  const keeping = stagesThatKeep(stages);
  const kept = recorded.filter(({ stage }) => keeping.has(stage)).flatMap(({ entries }) => entries);
  const going = recorded.filter(({ stage }) => !keeping.has(stage));
  return lastStageFirst(going).map(({ stage, entries }) => ({
    stage,
    deletions: inDeletionOrder(difference(entries, kept)),
  }));
}
