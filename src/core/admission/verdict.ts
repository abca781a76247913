import type { FieldProblem } from '../validate/field-problem.ts';

/** What a validating webhook says about a request. */
export type Verdict =
  | { readonly kind: 'Allowed'; readonly warnings: readonly string[] }
  | { readonly kind: 'Refused'; readonly refusal: Refusal; readonly warnings: readonly string[] };

/** The parts of a `metav1.Status` that say why not. */
export interface Refusal {
  /** As of HTTP. */
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details: RefusalDetails;
}

interface RefusalDetails {
  readonly name: string;
  readonly group: string;
  /** The kind of an invalid object; of a forbidden one the resource, as API servers have it. */
  readonly kind: string;
  readonly causes?: readonly RefusalCause[];
}

interface RefusalCause {
  /** `metav1.CauseType` */
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

export const allowed: Verdict = { kind: 'Allowed', warnings: [] };

/** An object by what failures call it. */
export interface Subject {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
}

const mostCauses = 50;

/** The refusal of an object that is wrong, as Kubernetes words it: all that is wrong, at once. */
export function invalid(subject: Subject, problems: readonly FieldProblem[]): Refusal {
  const shown = problems.slice(0, mostCauses);
  const lines = shown.map(({ path, message }) => `${path}: ${message}`);
  const rest = problems.length - shown.length;
  if (rest > 0) lines.push(`and ${rest} more`);
  const causes = shown.map(({ path, message }) => ({
    reason: message === 'is required' ? 'FieldValueRequired' : 'FieldValueInvalid',
    message,
    field: path,
  }));
  return {
    code: 422,
    reason: 'Invalid',
    message: invalidMessage(subject, lines),
    details: { ...subject, causes },
  };
}

/** The sentence of an `Invalid` failure; `lines` are `<field>: <what is wrong>`. */
export function invalidMessage({ group, kind, name }: Subject, lines: readonly string[]): string {
  const list = lines.length === 1 ? (lines[0] ?? '') : `[${lines.join(', ')}]`;
  return `${kind}.${group} "${name}" is invalid: ${list}`;
}

/** The refusal of somebody who may not; `resource` is plural. */
export function forbidden(
  { group, resource, name }: { group: string; resource: string; name: string },
  why: string,
): Refusal {
  const named = name === '' ? '' : ` ${JSON.stringify(name)}`;
  return {
    code: 403,
    reason: 'Forbidden',
    message: `${resource}.${group}${named} is forbidden: ${why}`,
    details: { name, group, kind: resource },
  };
}

/** The refusal of what could not be judged in time. */
export function tooLate(subject: Subject): Refusal {
  return {
    code: 504,
    reason: 'Timeout',
    message: `${subject.kind}.${subject.group} "${subject.name}" could not be judged in time; try again`,
    details: subject,
  };
}
