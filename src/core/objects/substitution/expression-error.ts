/** What is wrong with an expression, without saying yet where it is. Never quotes a value. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}
