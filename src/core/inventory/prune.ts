import type { InventoryEntry } from '../../types/stages.ts';
import {
  inDeletionOrder,
  lastStageFirst,
  type PrunableStage,
  type RecordedStage,
  stagesThatKeep,
} from './deletion.ts';
import { difference } from './sets.ts';

/** What is left to do for one stage once a run has finished. */
export type StagePrune =
  /** The stage is still in the spec: delete, then record what remains. */
  | {
      readonly kind: 'Shrink';
      readonly stage: string;
      readonly deletions: readonly InventoryEntry[];
      readonly remaining: readonly InventoryEntry[];
    }
  /** The stage left the spec: delete as the spec-level identity, then remove its inventory. */
  | {
      readonly kind: 'Remove';
      readonly stage: string;
      readonly deletions: readonly InventoryEntry[];
    };

/**
 * What to prune when all stages of a run are applied (part A 5.8), stages and the objects of each in
 * the order of deletion, removed stages last. A stage whose record needs no change is left out.
 *
 * An object is deleted only when no stage wants it any more: one that moved between stages stays. A
 * stage of the spec that has no desired set was not built, so all that it recorded counts as
 * wanted. A stage with `prune: false` deletes nothing while it is in the spec; once it is removed
 * its objects go like all others.
 */
export function planPrune(
  recorded: readonly RecordedStage[],
  desired: ReadonlyMap<string, readonly InventoryEntry[]>,
  stages: readonly PrunableStage[],
): StagePrune[] {
  const positions = new Map(stages.map(({ name }, position) => [name, position]));
  const inSpec = recorded.flatMap((record) => {
    const position = positions.get(record.stage);
    return position === undefined ? [] : [{ ...record, position }];
  });
  const removed = recorded.filter(({ stage }) => !positions.has(stage));
  const wanted = [
    ...stages.map(({ name }) => desired.get(name) ?? []),
    ...inSpec.filter(({ stage }) => !desired.has(stage)).map(({ entries }) => entries),
  ].flat();
  const surplus = ({ entries }: RecordedStage): InventoryEntry[] =>
    inDeletionOrder(difference(entries, wanted));
  const keeping = stagesThatKeep(stages);
  return [
    ...lastStageFirst(inSpec).flatMap((record): StagePrune[] => {
      const { stage, entries } = record;
      const remaining = desired.get(stage);
      if (remaining === undefined || difference(entries, remaining).length === 0) return [];
      const deletions = keeping.has(stage) ? [] : surplus(record);
      return [{ kind: 'Shrink', stage, deletions, remaining }];
    }),
    ...lastStageFirst(removed).map(
      (record): StagePrune => ({ kind: 'Remove', stage: record.stage, deletions: surplus(record) }),
    ),
  ];
}
