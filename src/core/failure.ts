/** What ended a stage or a run. */
export interface Failure {
  /** A Ready reason of the specification. */
  readonly reason: string;
  /** What was attempted: one of the `op` values of part B 9.4. */
  readonly operation: string;
  readonly message: string;
  /** Whether trying the same snapshot again can help. */
  readonly retry: 'Backoff' | 'Minute' | 'None';
  /** Milliseconds that the other side asked us to wait. */
  readonly retryAfter?: number;
  /** Milliseconds that no backoff is longer than: what is at fault may be repaired unseen. */
  readonly longestBackoff?: number;
}
