import { operationAt } from '../core/actions/attempts.ts';
import type { ActionEffect } from '../core/actions/steps.ts';
import type { RunProgress } from '../core/run.ts';

/** Effects for the actions of a stage. */
export type StageActionKind = Exclude<ActionEffect['kind'], 'SaveLedgers'>;

/** Effects that are carried out for one stage. */
export type StageEffectKind =
  | 'PrepareStage'
  | 'ApplyGroup'
  | 'LookForDeleted'
  | 'LookAtHealth'
  | StageActionKind;

export function isActionKind(kind: StageEffectKind): kind is StageActionKind {
  return actionKinds.has(kind);
}

const actionKinds: ReadonlySet<string> = new Set<StageActionKind>([
  'EnterStage',
  'RunAction',
  'LookAtAction',
  'RecordAction',
  'CleanUpAction',
]);

/** The `op` value of part B 9.4 for what an effect does; a preparing stage names its own. */
export function operationOf(kind: StageEffectKind, run: RunProgress, stage: number): string {
  switch (kind) {
    case 'PrepareStage':
      return 'build';
    case 'ApplyGroup':
    case 'LookForDeleted':
      return 'apply';
    case 'LookAtHealth':
      // A group that does not get usable is a part of the apply: later groups are not applied yet.
      return run.stages[stage]?.step.kind === 'Establishing' ? 'apply' : 'verify';
    case 'EnterStage':
      return 'invalidate lifetime completion';
    case 'RunAction':
    case 'LookAtAction':
    case 'RecordAction':
    case 'CleanUpAction':
      return operationAt(run, stage);
  }
}
