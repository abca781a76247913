import type { AppliedObject } from '../apply/applied-object.ts';
import type { BeforeWrite } from '../apply/read-before.ts';
import { isHelmHook } from '../core/objects/helm-hooks.ts';
import { rendersAsBefore } from '../core/render-inputs.ts';
import type { RunProgress } from '../core/run.ts';
import type { Stage, StageSet } from '../types/stages.ts';
import type { StageSetMemory } from './memory.ts';
import type { PreparedStage } from './prepare-stage.ts';
import type { Reporter } from './reporter.ts';

interface StageOfRun {
  readonly stageSet: StageSet;
  readonly memory: StageSetMemory;
  readonly run: RunProgress;
  readonly stage: Stage;
}

/** Tells of what was applied, unless it was written because the stage is rendered otherwise now. */
export function reportApplied(
  { stageSet, memory, run, stage }: StageOfRun,
  { fingerprint }: PreparedStage,
  applied: readonly AppliedObject[],
  before: BeforeWrite,
  reporter: Reporter,
): void {
  const inputs = { generation: run.generation, fingerprint };
  if (!rendersAsBefore(memory.rendered.get(stage.name), inputs, stage)) return;
  reporter.applied(stageSet, stage.name, run, applied, before);
}

/** Remembers what a stage that is applied in full was rendered from. */
export function rememberRendered(
  { memory, run, stage }: StageOfRun,
  { fingerprint }: PreparedStage,
): void {
  memory.rendered.set(stage.name, { generation: run.generation, fingerprint });
  const names = new Set(run.spec.stages.map(({ name }) => name));
  for (const remembered of [memory.rendered, memory.hooksTold]) {
    for (const name of remembered.keys()) if (!names.has(name)) remembered.delete(name);
  }
}

/** Tells of the Helm hooks of a stage: once for a revision, and not for one that was applied before. */
export function tellOfHelmHooks(
  { stageSet, memory, run, stage }: StageOfRun,
  revision: string,
  { groups }: PreparedStage,
  reporter: Reporter,
): void {
  const told = run.purpose === 'Reassert' || memory.hooksTold.get(stage.name) === revision;
  memory.hooksTold.set(stage.name, revision);
  const hooks = groups.flat().filter(isHelmHook);
  if (!told && hooks.length > 0) {
    reporter.helmHooksApplied(stageSet, stage.name, revision, hooks);
  }
}
