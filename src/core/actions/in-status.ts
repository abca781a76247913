import type { StageStatus } from '../../types/stages.ts';
import type { ForcedStage, StageProgress } from '../run.ts';
import { toRfc3339 } from '../time.ts';
import type { ActionLedger } from './ledger.ts';

/**
 * A stage's entry with what is on record of its actions. A stage that a run did not come to keeps what
 * was recorded before.
 */
export function withActions(
  entry: StageStatus,
  progress: StageProgress,
  forced: ForcedStage | undefined,
): StageStatus {
  const { ledger, step, name } = progress;
  const answered = forced?.stage === name && step.kind === 'Ready';
  const handled = answered ? { lastHandledReconcileAt: forced.token } : {};
  if (ledger === undefined) return { ...entry, ...handled };
  const kept: StageStatus = { ...entry, ...handled, ...recorded(ledger) };
  if (step.kind === 'Acting') {
    const { hook, action, attempt, startedAt } = step;
    const { revision } = ledger;
    const begun = toRfc3339(startedAt);
    kept.runningAction = { hook, name: action, revision, attempt, startedAt: begun };
  } else if (ledger.resumed === undefined) delete kept.runningAction;
  return kept;
}

function recorded({
  revision,
  done,
  version,
  versionDone,
  token,
}: ActionLedger): Partial<StageStatus> {
  return {
    executedActions: [...done],
    ledgerRevision: revision,
    ...(version === undefined
      ? {}
      : { executedVersionActions: [...versionDone], ledgerVersion: version }),
    ...(token === undefined ? {} : { ledgerToken: token }),
  };
}
