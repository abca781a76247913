import type { BudgetFreeze } from '../../types/stages.ts';
import type { Instant } from '../time.ts';

/** What is remembered of a budget between two looks. */
export interface BudgetMemory {
  readonly freeze: BudgetFreeze | undefined;
  /** Why the source could not be read the last time. */
  readonly sourceError?: string;
  /** What was read last. */
  readonly remaining?: number;
  /** Whether revisions are held by it. */
  readonly held?: boolean;
  /** Since when these revisions are to be judged: what was read before says nothing of them. */
  readonly judgesSince?: Instant;
}
