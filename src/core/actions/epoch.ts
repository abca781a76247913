import type { Action, StartedAction } from '../../types/stages.ts';
import { type Hook, scopeIn } from './action.ts';
import type { ActionLedger } from './ledger.ts';

/**
 * A text that stays the same as long as an action has to be done once, over restarts, edits of the
 * spec and runs that follow each other, and changes when it has to be done again (part A 7.4). What an
 * attempt has begun in an epoch is gone on with by any later one; empty where nobody knows.
 *
 * @param started the record that a Lifetime action was started
 */
export function epochOf(
  hook: Hook,
  action: Action,
  ledger: Pick<ActionLedger, 'revision' | 'version' | 'token'> | undefined,
  started: StartedAction | undefined,
): string {
  const scope = scopeIn(hook, action);
  if (scope === 'Lifetime') return started?.startedAt ?? '';
  if (ledger === undefined) return '';
  if (scope === 'Version') return `version ${ledger.version ?? ''}`;
  return `revision ${ledger.revision} ${ledger.token ?? ''}`;
}
