import type { ObjectExpression } from './compile.ts';
import { costBudget, estimateCost } from './cost.ts';
import { standardFunctions } from './functions.ts';
import type { CelAnswer, CelBindings } from './library.ts';
import { profileOf } from './profile.ts';
import { type Expression, partsOf } from './syntax.ts';
import { celValue } from './values.ts';

/** What the expression says of an object; an error quotes nothing of it. */
export type ExpressionResult =
  | { readonly kind: 'Bool'; readonly value: boolean }
  | { readonly kind: 'Error'; readonly message: string };

/** What an evaluation over an object may take at most. */
export interface EvaluationBounds {
  /** Values in the object, nested ones included. */
  readonly values: number;
  /** Steps by the estimate. */
  readonly cost: number;
  /** No estimate bounds what a pattern takes, which may be part of the object. */
  readonly patterns: 'Allowed' | 'Refused';
}

/** Bounds of an evaluation that is given a thread of its own, and a time. */
export const threadBounds: EvaluationBounds = {
  values: 500_000,
  cost: costBudget,
  patterns: 'Allowed',
};

/** Bounds of an evaluation that nobody notices beside the rest of the process: a millisecond or two. */
export const briefBounds: EvaluationBounds = { values: 2_000, cost: 10_000, patterns: 'Refused' };

/**
 * Evaluates the expression when the estimate proves that it stays within the bounds; undefined when
 * that cannot be shown.
 */
export function evaluateWithin(
  { program }: ObjectExpression,
  object: object,
  bounds: EvaluationBounds,
): ExpressionResult | undefined {
  if (bounds.patterns === 'Refused' && usesPattern(program.syntax)) return undefined;
  const environment = environmentOf(object);
  const profile = profileOf(environment, bounds.values);
  if (profile === undefined) return undefined;
  if (estimateCost(program.syntax, profile) > bounds.cost) return undefined;
  return resultOf(program.evaluate(bindingsOf(environment)));
}

function usesPattern(expression: Expression): boolean {
  const pattern =
    expression.kind === 'Call' && standardFunctions.get(expression.name)?.cost === 'Pattern';
  return pattern || partsOf(expression).some(usesPattern);
}

/** The five names with their values; a map that the object lacks is empty. */
function environmentOf(object: object): Record<string, unknown> {
  const { apiVersion, kind, metadata, spec, status } = { ...defaults, ...object };
  return {
    apiVersion,
    kind,
    metadata: metadata ?? {},
    spec: spec ?? {},
    status: status ?? {},
  };
}

const defaults: Record<'apiVersion' | 'kind' | 'metadata' | 'spec' | 'status', unknown> = {
  apiVersion: '',
  kind: '',
  metadata: undefined,
  spec: undefined,
  status: undefined,
};

function bindingsOf(environment: Record<string, unknown>): CelBindings {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, celValue(value)] as const),
  );
}

function resultOf(answer: CelAnswer): ExpressionResult {
  switch (answer.kind) {
    case 'Bool':
      return answer;
    case 'Other':
      return { kind: 'Error', message: `it gives a value of type ${answer.type}, not a bool` };
    case 'Error': {
      return { kind: 'Error', message: `${wordsFor[answer.cause]}${whereIn(answer.part)}` };
    }
  }
}

/** Of an index the library names only the variable that it begins with. */
function whereIn(part: string | undefined): string {
  if (part === undefined) return '';
  return /^\w+$/.test(part) ? ` in ${part}` : ` at ${part}`;
}

const wordsFor = {
  Missing: 'there is no such field or item',
  Types: 'the values do not have the types that it needs',
  Other: 'it cannot be evaluated',
} as const;
