import { type RunProgress, type StageStep, withStep } from './run.ts';
import { type Duration, type Instant, milliseconds } from './time.ts';

/** The run with its next look at health no later than `at`; unchanged when it waits for none. */
export function lookBy(run: RunProgress, at: Instant): RunProgress {
  const index = run.stages.findIndex(({ step }) => step.kind !== 'Ready');
  const step = run.stages[index]?.step;
  if (step?.kind === 'Acting') return actionLookBy(run, index, step, at);
  if (step?.kind !== 'Establishing' && step?.kind !== 'Verifying') return run;
  return step.nextLook <= at ? run : withStep(run, index, { ...step, nextLook: at });
}

function actionLookBy(
  run: RunProgress,
  index: number,
  step: Extract<StageStep, { kind: 'Acting' }>,
  at: Instant,
): RunProgress {
  const { phase } = step;
  if (phase.kind !== 'Awaiting' || phase.awaited.kind === 'Time') return run;
  if (phase.nextLook <= at) return run;
  return withStep(run, index, { ...step, phase: { ...phase, nextLook: at } });
}

/** Whether the run waits for the health of objects. */
export function awaitsHealth(run: RunProgress): boolean {
  if (run.outcome !== undefined) return false;
  const current = run.stages.find(({ step }) => step.kind !== 'Ready');
  return current?.step.kind === 'Establishing' || current?.step.kind === 'Verifying';
}

/** Shortest pause between two looks that events ask for: looks at more objects cost more. */
export function pauseBetweenLooks(run: RunProgress): Duration {
  const step = run.stages.find((stage) => stage.step.kind !== 'Ready')?.step;
  return milliseconds(
    Math.max(100, step !== undefined && 'health' in step ? step.health.length : 0),
  );
}
