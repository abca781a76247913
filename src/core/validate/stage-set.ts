import type { StageSet } from '../../types/stages.ts';
import { longestLabel } from '../objects/label-value.ts';
import type { FieldProblem } from './field-problem.ts';
import { foreignLadder } from './migrations.ts';
import { specProblems } from './spec.ts';

/** What is wrong with a StageSet, stored or not: nothing of it can be delivered before that is right. */
export function stageSetProblems({ metadata, spec }: StageSet): FieldProblem[] {
  if (spec === undefined) return [...longName(metadata), ...specProblems({ stages: [] })];
  return [...longName(metadata), ...specProblems(spec), ...foreignLadder(spec, metadata.namespace)];
}

/** It labels all that is applied (part A 4.8). */
function longName({ name }: StageSet['metadata']): FieldProblem[] {
  if (name.length <= longestLabel) return [];
  const message = `has ${name.length} characters; at most ${longestLabel} fit into a label`;
  return [{ path: 'metadata.name', message }];
}
