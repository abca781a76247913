/** One field that an API server objects to: `metav1.StatusCause`. */
interface Cause {
  readonly field?: string;
  readonly message?: string;
}

/**
 * How API servers end the message about a field that cannot change, after the value that they quote:
 * the built-in kinds in their several ways, and custom resources as their CEL rules put it.
 */
const endings: readonly RegExp[] = [
  /field is immutable(?: when `immutable` is set)?\.?$/,
  /\bis immutable\.?$/,
  /immutable field\.?$/,
  /: may not change once set\.?$/,
  /: cannot change roleRef\.?$/,
  /^Forbidden: may not be changed in an update\.?$/,
  /^Forbidden: updates to [^\n]* are forbidden\.?$/,
];

/** How they begin it where the difference follows. */
const beginnings: readonly RegExp[] = [
  /^Forbidden: [\w.]+ is immutable after creation\b[^\n]*/,
  /^Forbidden: pod updates may not change fields other than\b[^\n]*/,
];

/**
 * The part of a message that says that a field cannot change, without any value from the object;
 * undefined when it says something else. A value that is quoted in the middle decides nothing: it
 * may be anything, these words included.
 */
export function immutabilityIn(message: string): string | undefined {
  for (const pattern of [...endings, ...beginnings]) {
    const [said] = pattern.exec(message) ?? [];
    if (said !== undefined) return said.replace(/^[\s:]+/, '');
  }
  return undefined;
}

/**
 * Whether all that the server objects to is that fields cannot change, so that the object could be
 * had by replacing it. One other cause, and replacing it would lose the live object for an invalid
 * one (part A 5.3, [gap]).
 */
export function onlyImmutableFields(causes: readonly Cause[], message: string): boolean {
  if (causes.length === 0) return immutabilityIn(message) !== undefined;
  return causes.every((cause) => immutabilityIn(cause.message ?? '') !== undefined);
}

/** Whether all that the server objects to is what the live object itself takes up. */
export function onlyTakenByItself(causes: readonly Cause[]): boolean {
  return (
    causes.length > 0 &&
    causes.every(({ message = '' }) => /provided (?:port|IP) is already allocated$/.test(message))
  );
}
