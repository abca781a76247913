import type { Gate } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { RunProgress } from '../run.ts';
import type { OverrideKind } from './override.ts';
import { overrideAnnotations } from './run-overrides.ts';

/** The run with a note that an override let it past a gate that holds. */
export function noteAnnotation(
  run: RunProgress,
  index: number,
  gate: Gate,
  kind: OverrideKind,
): RunProgress {
  const stage = run.stages[index]?.name ?? '';
  const known = run.passages ?? [];
  if (known.some((passage) => passage.gate === gate && passage.stage === stage)) return run;
  const passage = { gate, stage, annotation: overrideAnnotations[kind] };
  return { ...run, passages: [...known, passage] };
}
