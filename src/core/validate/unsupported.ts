import type { StageSetSpec } from '../../types/stages.ts';
import type { FieldProblem } from './field-problem.ts';

/**
 * Fields of the specification that this build knows but cannot carry out yet. A release that relies
 * on a gate, an action or an identity must not run without it, so such a spec is refused rather than
 * half honoured.
 */
export function unsupportedFields(spec: StageSetSpec): FieldProblem[] {
  return setFields(spec, unsupportedInSpec).map((field) => problem(`spec.${field}`));
}

const unsupportedInSpec = ['rollbackOnFailure'] as const satisfies readonly (keyof StageSetSpec)[];

/** Of `fields`, those that ask for something: absent, false and empty values ask for nothing. */
function setFields<T extends object, K extends keyof T & string>(
  object: T,
  fields: readonly K[],
): K[] {
  return fields.filter((field) => {
    const value: unknown = object[field];
    if (value === undefined || value === null || value === false) return false;
    return Array.isArray(value) ? value.length > 0 : true;
  });
}

function problem(path: string): FieldProblem {
  const message =
    'this build of the controller cannot carry it out yet and will not release without it; ' +
    'remove the field or use a build that has it';
  return { path, message };
}
