import type { BoundOverride, StageSet } from '../../types/stages.ts';
import type { RunProgress } from '../run.ts';
import type { Novelty } from './novelty.ts';
import {
  budgetOverrideAnnotation,
  decideOverride,
  type OverrideKind,
  revisionsDigest,
  updateNowAnnotation,
} from './override.ts';

export const overrideAnnotations: Readonly<Record<OverrideKind, string>> = {
  Update: updateNowAnnotation,
  Budget: budgetOverrideAnnotation,
};

/** The run with one kind of override looked at, for what it has pinned. */
export function withOverride(
  kind: OverrideKind,
  run: RunProgress,
  stageSet: StageSet,
  novelty: Novelty,
): RunProgress {
  const before = run.overrides?.[kind];
  const recorded = recordedOverride(kind, stageSet);
  const verdict = decideOverride({
    token: stageSet.metadata.annotations?.[overrideAnnotations[kind]],
    lastHandled: before?.handled ?? recorded.handled,
    bound: before === undefined ? recorded.bound : before.bound,
    revisions: revisionsOf(run),
    fullyApplied: novelty.delivered,
  });
  const effective = verdict.effective || before?.effective === true;
  return { ...run, overrides: { ...run.overrides, [kind]: { ...verdict, effective } } };
}

function revisionsOf({ spec, pinned }: RunProgress): string {
  return revisionsDigest(
    spec.stages.map(({ name }, index) => ({
      stage: name,
      revision: pinned[index]?.revision ?? '',
    })),
  );
}

function recordedOverride(
  kind: OverrideKind,
  { status = {} }: StageSet,
): { readonly handled: string | undefined; readonly bound: BoundOverride | undefined } {
  return kind === 'Update'
    ? { handled: status.lastHandledUpdateOverride, bound: status.updateOverride }
    : { handled: status.lastHandledBudgetOverride, bound: status.budgetOverride };
}
