import type { BudgetFreeze } from '../../types/stages.ts';
import type { BudgetMemory } from './budget-memory.ts';
import type { ErrorBudgetVerdict } from './error-budget.ts';

/** What is to be remembered of a look. */
export function remembered(verdict: Exclude<ErrorBudgetVerdict, { kind: 'Ask' }>): BudgetMemory {
  const { freeze, sourceError, remaining, kind } = verdict;
  return {
    freeze,
    ...(sourceError === undefined ? {} : { sourceError }),
    ...(remaining === undefined ? {} : { remaining }),
    held: kind === 'Held',
  };
}

/** What is worth an event, which is told once and not at each look. */
export type BudgetNews =
  | { readonly kind: 'Froze'; readonly freeze: BudgetFreeze }
  /** An outage of the source begins. */
  | {
      readonly kind: 'Unreadable';
      readonly sourceError: string;
      /** What it means for the revisions that wait. */
      readonly verdict: 'Open' | 'Held';
    };

/**
 * A freeze begins, whether it holds or is only recorded, or the source cannot be read any more (the
 * gaps of part B 4.2). An outage that goes on is the same one, whatever its errors say.
 */
export function budgetNews(before: BudgetMemory, after: BudgetMemory): BudgetNews[] {
  const { freeze, sourceError, held } = after;
  const news: BudgetNews[] = [];
  if (freeze !== undefined && before.freeze === undefined) news.push({ kind: 'Froze', freeze });
  if (sourceError !== undefined && before.sourceError === undefined) {
    news.push({ kind: 'Unreadable', sourceError, verdict: held === true ? 'Held' : 'Open' });
  }
  return news;
}

/** While nobody can read it, nobody knows that it is exhausted. */
export function isExhausted({ held, sourceError }: BudgetMemory): boolean {
  return held === true && sourceError === undefined;
}
