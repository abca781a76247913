import type { PinnedArtifact } from '../pinned-artifact.ts';
import type { RunProgress, StageProgress } from '../run.ts';
import { emptyLedger } from '../version/migration-ledger.ts';
import type { DriftedObject } from './drifted.ts';

/** So many objects at most are corrected one by one; beyond, lists are cheaper. */
export const mostCorrected = 100;

/**
 * A run that corrects these objects and nothing else: their stages alone, as they are applied, with
 * nothing to prune. When it is done the run that it interrupts stands again, with its schedule; an
 * ended run that failed has one already, and is left alone.
 *
 * Returns undefined when there is nothing to correct in the stages of that run.
 */
export function startCorrection(
  interrupted: RunProgress,
  objects: readonly DriftedObject[],
): RunProgress | undefined {
  const { outcome } = interrupted;
  if (outcome === undefined || outcome.kind === 'Failed') return undefined;
  const names = new Set(objects.map(({ stage }) => stage));
  return correctionOf(interrupted, { objects, interrupted }, ({ name }) => names.has(name));
}

/**
 * A run that asserts what is applied in the stages that a held run does not get to, so that a hold
 * leaves no drift behind (part B 1.4). It does no actions and prunes nothing; where the artifacts are
 * gone, the hold stands all the same. Undefined when that was done before, or nothing is known to be
 * applied.
 */
export function startKeeping(held: RunProgress): RunProgress | undefined {
  if (held.outcome?.kind !== 'Held' || held.kept === true) return undefined;
  const interrupted = { ...held, kept: true };
  const correction = { objects: [], whole: true, interrupted };
  return correctionOf(interrupted, correction, ({ step }) => step.kind === 'Pending');
}

function correctionOf(
  interrupted: RunProgress,
  correction: NonNullable<RunProgress['correction']>,
  concerns: (stage: StageProgress) => boolean,
): RunProgress | undefined {
  const { spec, stages, deliveredSpec } = interrupted;
  const concerned = [...stages.entries()].flatMap(([index, stage]) => {
    const artifact = concerns(stage) ? appliedIn(interrupted, index) : undefined;
    // What a gate holds back may be in the spec as well as in the artifact.
    const wanted =
      stage.step.kind === 'Pending'
        ? deliveredSpec?.stages.find(({ name }) => name === stage.name)
        : spec.stages[index];
    return artifact === undefined || wanted === undefined ? [] : [{ stage, artifact, wanted }];
  });
  if (concerned.length === 0) return undefined;
  return {
    ...interrupted,
    spec: { ...spec, stages: concerned.map(({ wanted }) => wanted) },
    pinned: concerned.map(({ artifact }) => artifact),
    stages: concerned.map(({ stage }) => ({ ...stage, step: { kind: 'Pending' } })),
    purpose: 'Reassert',
    prune: 'Done',
    outcome: undefined,
    asks: [],
    correction,
  };
}

/** What a run has applied in a stage, or what it found there and has not come to. */
function appliedIn(
  { stages, pinned, deployed }: RunProgress,
  index: number,
): PinnedArtifact | undefined {
  return stages[index]?.step.kind === 'Pending' ? deployed?.[index] : pinned[index];
}

/**
 * A correction that only waits for health takes up what drifted meanwhile, so that a slow object does
 * not keep others from being corrected. Any other run goes on as it is.
 */
export function withFurtherDrift(run: RunProgress, due: readonly DriftedObject[]): RunProgress {
  const { correction, stages } = run;
  if (correction === undefined || correction.whole === true || due.length === 0) return run;
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
  // A stage that is not entered yet cannot have failed, whatever its former state has come to.
  if ([...troubled.keys()].every((name) => isPending(interrupted, name))) return interrupted;
  const stages = interrupted.stages.map((stage) => {
    const step = troubled.get(stage.name);
    return step === undefined ? stage : { ...stage, step };
  });
  return {
    ...(interrupted.outcome?.kind === 'Succeeded' ? settledOf(interrupted) : interrupted),
    stages,
    outcome,
  };
}

/** What a run that came to its end has on record is over, whatever becomes of its objects later. */
function settledOf(run: RunProgress): RunProgress {
  const { version } = run;
  return {
    ...run,
    migrationFailures: 0,
    migrationLedger: emptyLedger,
    overrides: {},
    ...(version === undefined ? {} : { version: { ...version, plan: { kind: 'None' } } }),
  };
}

function isPending({ stages }: RunProgress, name: string): boolean {
  return stages.some((stage) => stage.name === name && stage.step.kind === 'Pending');
}
