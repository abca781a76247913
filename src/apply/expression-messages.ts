import type { ExpressionResult } from '../core/cel/evaluate.ts';

/** One evaluation that the expression thread is asked for. */
export interface ExpressionQuestion {
  readonly text: string;
  /** A live object as JSON. */
  readonly object: object;
}

/** What the thread says: that it runs, or what the evaluation it was asked for last came to. */
export type ExpressionAnswer =
  | { readonly kind: 'Ready' }
  | { readonly kind: 'Result'; readonly result: ExpressionResult };
