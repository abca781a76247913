/**
 * The command line or the environment cannot be used. Nothing was contacted. The message is one
 * line for the operator: the flag, the shape of its value, and what is accepted.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** What the process should end with (part B 8.1). */
  readonly exitCode = 2;
}
