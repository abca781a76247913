import {
  type HistoryFilter,
  isOutcome,
  outcomeNames,
} from '../../../core/history/history-query.ts';
import { sinceOf } from '../../../core/history/since.ts';
import type { Instant } from '../../../core/time.ts';
import type { Limits } from '../limit.ts';
import { StatusError } from '../status-error.ts';

/** Runs in one answer. */
export const runLimits: Limits = { usual: 20, largest: 200 };

/** @throws StatusError 400 naming the parameter that cannot be understood. */
export function filterOf(query: URLSearchParams, now: Instant): HistoryFilter {
  const outcome = given(query, 'outcome');
  if (outcome !== undefined && !isOutcome(outcome)) {
    throw StatusError.badRequest(`outcome must be one of ${outcomeNames.join(', ')}`);
  }
  const since = given(query, 'since');
  const from = since === undefined ? undefined : sinceOf(since, now);
  if (since !== undefined && from === undefined) {
    throw StatusError.badRequest(
      'since must be a time such as 2026-01-31T12:00:00Z, or a duration such as 24h',
    );
  }
  return { outcome, stage: given(query, 'stage'), since: from, run: given(query, 'run') };
}

/** What makes the request what it is: a token is good for the same filters only. */
export function filtersAsGiven(query: URLSearchParams): Record<string, string | undefined> {
  return {
    outcome: given(query, 'outcome'),
    stage: given(query, 'stage'),
    since: given(query, 'since'),
    run: given(query, 'run'),
  };
}

/** @throws StatusError 400 for another form than `text`. */
export function wantsText(query: URLSearchParams): boolean {
  const output = given(query, 'output');
  if (output === undefined) return false;
  if (output === 'text') return true;
  throw StatusError.badRequest('output must be text, or be left out');
}

/** @throws StatusError 405: there is nothing to watch here. */
export function refuseWatch(query: URLSearchParams): void {
  const watch = query.get('watch');
  if (watch === null || watch === 'false' || watch === '0') return;
  throw StatusError.methodNotAllowed(
    'history cannot be watched: watch stageruns of the group stages.metio.wtf instead, such as with kubectl get stageruns --watch',
  );
}

function given(query: URLSearchParams, name: string): string | undefined {
  const value = query.get(name);
  return value === null || value === '' ? undefined : value;
}
