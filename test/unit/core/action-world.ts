import {
  actionAt,
  attempted,
  cleanedUp,
  failedAction,
  lookedAtAction,
  operationOfHook,
} from '../../../src/core/actions/attempts.ts';
import { ledgerOf } from '../../../src/core/actions/ledger.ts';
import { concluded } from '../../../src/core/actions/settle-actions.ts';
import type { ActionEffect } from '../../../src/core/actions/steps.ts';
import type { Failure } from '../../../src/core/failure.ts';
import { type RunProgress, withStage } from '../../../src/core/run.ts';
import type { Instant } from '../../../src/core/time.ts';
import type { StageLedger, StageSetStatus } from '../../../src/types/stages.ts';

/** What is stored when a run comes to a stage. */
export interface Stored {
  readonly status?: StageSetStatus | undefined;
  readonly ledger?: StageLedger | undefined;
}

/** The run after an effect for an action of it, which the world carries out or refuses. */
export function runAfterAction(
  effect: ActionEffect,
  run: RunProgress,
  now: Instant,
  refused: boolean,
  stored: Stored = {},
): RunProgress {
  if (effect.kind === 'SaveLedgers') return { ...run, unsaved: false };
  const index = effect.stage;
  switch (effect.kind) {
    case 'EnterStage':
      return entered(run, index, stored);
    case 'RunAction': {
      if (!refused) return attempted(run, index, { kind: 'Done' }, now);
      const hook = actionAt(run, index)?.step.hook ?? 'pre';
      return failedAction(run, index, refusal(operationOfHook(hook)), 'Again', now);
    }
    case 'LookAtAction':
      return lookedAtAction(
        run,
        index,
        { kind: 'Done' },
        { now, news: 'Polled', secrets: new Set() },
      );
    case 'RecordAction': {
      const phase = actionAt(run, index)?.step.phase;
      return phase?.kind === 'Ended' ? concluded(run, index, phase, now) : run;
    }
    case 'CleanUpAction':
      return cleanedUp(run, index);
  }
}

function entered(run: RunProgress, index: number, { status, ledger }: Stored): RunProgress {
  const stage = run.spec.stages[index];
  if (stage === undefined) return run;
  const own = ledgerOf({
    stage,
    status: status?.stages?.find(({ name }) => name === stage.name),
    revision: run.pinned[index]?.revision ?? '',
    version: undefined,
    token: run.forced?.stage === stage.name ? run.forced.token : undefined,
    lifetime: ledger,
  });
  return withStage(run, index, (progress) => ({ ...progress, ledger: own }));
}

function refusal(operation: string): Failure {
  return { reason: 'StageFailed', operation, message: 'refused', retry: 'Backoff' };
}
