import type { Stage, StageSetSpec } from '../../types/stages.ts';

/**
 * What is allowed and yet a risk, as far as a spec shows it: one line each, for `kubectl` to print.
 * Whether a source is mutable is in the source; only of a Bucket does its kind tell.
 */
export function risksOf(spec: StageSetSpec): string[] {
  const { migrations = [], serviceAccountName = '', stages } = spec;
  return [
    ...(serviceAccountName === '' ? [withoutAccount] : []),
    ...migrations.flatMap(({ down = [] }, index) =>
      down.length === 0
        ? [`spec.migrations[${index}].down: there are no actions; this migration cannot be undone`]
        : [],
    ),
    ...stages.flatMap((stage, index) =>
      risksOfStage(stage).map((risk) => `spec.stages[${index}].${risk}`),
    ),
  ];
}

const withoutAccount =
  'spec.serviceAccountName: none is named; whoever may edit this StageSet can do what the ' +
  'controller may';

function risksOfStage({ conflictPolicy, force, sourceRef }: Stage): string[] {
  const risks: string[] = [];
  if (sourceRef.kind === 'Bucket') {
    risks.push('sourceRef: a Bucket is mutable; whoever may write to it decides what is released');
  }
  if (conflictPolicy === undefined) {
    if (force === true) risks.push('force: objects are deleted and created anew on conflicts');
    return risks;
  }
  if (force === true) risks.push('force: has no effect beside conflictPolicy');
  if (conflictPolicy.default === 'Recreate') {
    risks.push('conflictPolicy.default: objects are deleted and created anew on conflicts');
  }
  for (const [index, { allowDataLoss }] of (conflictPolicy.rules ?? []).entries()) {
    if (allowDataLoss !== true) continue;
    risks.push(`conflictPolicy.rules[${index}].allowDataLoss: data may be lost on conflicts`);
  }
  return risks;
}
