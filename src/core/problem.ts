/** Why a text that a user wrote means nothing; it reads well behind the name of the text's field. */
export interface Problem {
  readonly problem: string;
}

export function isProblem(value: object): value is Problem {
  return 'problem' in value && typeof value.problem === 'string';
}
