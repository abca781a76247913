import type { Action, Stage, StageSet } from '../../types/stages.ts';
import { requestedAtAnnotation } from '../annotations.ts';
import type { Failure } from '../failure.ts';
import { withoutRunbook } from '../reasons.ts';
import type { Rest } from '../rest.ts';
import type { RunProgress, StageStep } from '../run.ts';
import { hasUnfinishedLifetime } from './ledger.ts';

/** So many failures in a row make a StageSet dirty (part A 7.5). */
const mostFailures = 5;

/** Failures of a stage after something of it was applied, to which `onFailure` answers (part A 2.5). */
export function answersTo({ operation }: Failure): boolean {
  return afterPreparing.has(operation);
}

const afterPreparing: ReadonlySet<string> = new Set([
  'apply',
  'record inventory',
  'verify',
  'post-action',
]);

/**
 * What becomes of a stage whose action has failed: while an action that may be done only once is
 * unfinished, failures are counted, and the fifth in a row halts the StageSet until a person has
 * repaired what is broken and asks for another try.
 */
export function escalated(
  run: RunProgress,
  index: number,
  stage: Stage,
  failure: Failure,
): [RunProgress, number, StageStep] {
  const ledger = run.stages[index]?.ledger;
  if (ledger === undefined || !hasUnfinishedLifetime(stage, ledger)) {
    return [run, index, { kind: 'Failed', failure }];
  }
  const actionFailures = (run.actionFailures ?? 0) + 1;
  const counted: RunProgress = { ...run, actionFailures };
  if (actionFailures < mostFailures) return [counted, index, { kind: 'Failed', failure }];
  const message =
    `${failure.message} (failure ${actionFailures} in a row; halted, since an action of scope ` +
    `Lifetime is unfinished: repair what is broken, then annotate ${requestedAtAnnotation})`;
  const dirty: Failure = { ...failure, reason: 'ActionDirty', message, retry: 'None' };
  return [counted, index, { kind: 'Failed', failure: dirty }];
}

/** An action that may have been done: a person has to say how it ended. */
export function failedByHalt(stage: Stage, { name }: Action, reason: string): Failure {
  const message =
    `action ${name} of scope Lifetime ${reason}. If it was done, add {stage: ${stage.name}, ` +
    `action: ${name}} to spec.baseline of the StageLedger; if it shall run again, annotate ` +
    `stages.metio.wtf/reconcile-stage=${stage.name}@$(date +%s)`;
  return { reason: 'ActionDirty', operation: 'action halted (dirty)', message, retry: 'Minute' };
}

/**
 * Whether a run is halted for good: as long as its spec and its artifacts are those that failed and
 * nobody asks for another try, no event makes it do an action again.
 */
export function isDirty({ metadata, status = {} }: StageSet, runId: string): boolean {
  // Migrations have failed, not actions: that is another gate's to say.
  if (status.haltedRun !== runId || (status.migrationFailureCount ?? 0) >= mostFailures)
    return false;
  const asked = metadata.annotations?.[requestedAtAnnotation];
  return asked === undefined || asked === status.lastHandledReconcileAt;
}

/** Nothing to do: Ready says what is to be done, whatever it has said in between. */
export function dirtyRest({ status = {} }: StageSet): Rest {
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  const known = ready?.reason === 'ActionDirty' ? withoutRunbook(ready.message) : undefined;
  const message =
    known ??
    `Halted after ${status.actionFailureCount ?? mostFailures} failures in a row, while an action of ` +
      `scope Lifetime is unfinished: repair what is broken, then annotate ${requestedAtAnnotation}`;
  return {
    kind: 'Rest',
    ready: { status: 'False', reason: 'ActionDirty', message },
    wakeAt: undefined,
  };
}
