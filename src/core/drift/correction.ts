import type { RunProgress } from '../run.ts';
import type { DriftedObject } from './drifted.ts';

/** So many objects at most are corrected one by one; beyond, lists are cheaper. */
export const mostCorrected = 100;

/**
 * A run that corrects these objects and nothing else: their stages alone, as they were pinned, with
 * nothing to prune. When it is done the run that it interrupts stands again, with its schedule; an
 * ended run that failed has one already, and is left alone.
 *
 * Returns undefined when there is nothing to correct in the stages of that run.
 */
export function startCorrection(
  interrupted: RunProgress,
  objects: readonly DriftedObject[],
): RunProgress | undefined {
  const { outcome, spec, pinned, stages } = interrupted;
  if (outcome === undefined || outcome.kind === 'Failed') return undefined;
  const names = new Set(objects.map(({ stage }) => stage));
  const concerned = [...stages.entries()].filter(
    ([, { name, step }]) => names.has(name) && step.kind !== 'Pending',
  );
  if (concerned.length === 0) return undefined;
  return {
    ...interrupted,
    spec: { ...spec, stages: concerned.flatMap(([index]) => spec.stages[index] ?? []) },
    pinned: concerned.flatMap(([index]) => pinned[index] ?? []),
    stages: concerned.map(([, stage]) => ({ ...stage, step: { kind: 'Pending' } })),
    purpose: 'Reassert',
    prune: 'Done',
    outcome: undefined,
    correction: { objects, interrupted },
  };
}

/**
 * A correction that only waits for health takes up what drifted meanwhile, so that a slow object does
 * not keep others from being corrected. Any other run goes on as it is.
 */
export function withFurtherDrift(run: RunProgress, due: readonly DriftedObject[]): RunProgress {
  const { correction, stages } = run;
  if (correction === undefined || due.length === 0) return run;
  const current = stages.find(({ step }) => step.kind !== 'Ready');
  if (current?.step.kind !== 'Verifying') return run;
  const known = new Map(correction.objects.map((object) => [object.id, object]));
  const taken = due.filter(({ id }) => known.has(id) || known.size < mostCorrected);
  for (const object of taken) {
    if (known.size < mostCorrected || known.has(object.id)) known.set(object.id, object);
  }
  if (taken.length === 0) return run;
  return startCorrection(correction.interrupted, [...known.values()]) ?? run;
}

/**
 * A correction that has failed or run out of time gives its outcome to the run that it interrupted,
 * which has all the stages and stands again. Any other run stays as it is.
 */
export function handBack(run: RunProgress): RunProgress {
  const { correction, outcome } = run;
  if (correction === undefined || outcome === undefined) return run;
  const { interrupted } = correction;
  const troubled = new Map(
    run.stages.flatMap(({ name, step }) =>
      step.kind === 'Ready' || step.kind === 'Pending' ? [] : [[name, step] as const],
    ),
  );
  const stages = interrupted.stages.map((stage) => {
    const step = troubled.get(stage.name);
    return step === undefined ? stage : { ...stage, step };
  });
  return { ...interrupted, stages, outcome };
}
