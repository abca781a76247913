import type { StageSetSpec } from '../../types/stages.ts';
import type { FieldProblem } from './field-problem.ts';

/** A remote cluster needs exactly one reference, with a name (part A 9.4, rule 10). */
export function kubeConfigProblems({ kubeConfig }: StageSetSpec): FieldProblem[] {
  if (kubeConfig === undefined) return [];
  const { secretRef, configMapRef } = kubeConfig;
  if ((secretRef === undefined) === (configMapRef === undefined)) {
    const message = 'needs exactly one of secretRef and configMapRef';
    return [{ path: 'spec.kubeConfig', message }];
  }
  return Object.entries({ secretRef, configMapRef }).flatMap(([field, reference]) =>
    reference === undefined || reference.name !== ''
      ? []
      : [{ path: `spec.kubeConfig.${field}.name`, message: 'is empty; name the object' }],
  );
}
