import type { FieldProblem } from '../../core/validate/field-problem.ts';
import { contract } from '../../types/generated/subresources.stages.metio.wtf.v1.document.ts';
import { type BodyProblems, OpenApiContract } from '../open-api-contract.ts';

const group = new OpenApiContract(contract);

/** Judges a body by the contract's schema of this kind. */
export function validateRequest(kind: string, body: unknown): BodyProblems {
  return group.validateRequest(kind, body);
}

/** Where an answer is not what the contract promises of its kind; a field too many counts. */
export function validateResponse(kind: string, object: unknown): FieldProblem[] {
  return group.validateResponse(kind, object);
}

/** Compiles the schema of this kind, so that nobody waits for it later. */
export function compileSchema(kind: string): void {
  group.compile(kind);
}

/** Whether the contract has a schema of this name. */
export function isInContract(kind: string): boolean {
  return group.has(kind);
}
