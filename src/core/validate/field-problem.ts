/** One thing that is wrong with one field of an object that a user wrote. */
export interface FieldProblem {
  /** Path as `kubectl explain` takes it, with indices: `spec.stages[0].name`. */
  readonly path: string;
  /** What is wrong, the shape that was found, and what to do. Never a secret value. */
  readonly message: string;
}

const shown = 5;

/** One line for people: at most five problems, then how many more there are. */
export function describeProblems(problems: readonly FieldProblem[]): string {
  const lines = problems.slice(0, shown).map(({ path, message }) => `${path}: ${message}`);
  const rest = problems.length - lines.length;
  return rest > 0 ? `${lines.join('; ')}; and ${rest} more` : lines.join('; ');
}
