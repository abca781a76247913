import type { StageSet } from '../types/stages.ts';
import { forcedStage } from './actions/forced-stage.ts';
import { requestedAtAnnotation } from './annotations.ts';
import { deployedArtifacts } from './gates/deployed.ts';
import type { PinnedArtifact } from './pinned-artifact.ts';
import { type RunProgress, type RunPurpose, standing, startRun } from './run.ts';
import { runId } from './run-id.ts';
import { purposeAfter, purposeByStatus } from './run-purpose.ts';
import type { Snapshot } from './snapshot.ts';
import { wantedVersion } from './version/wanted-version.ts';

/** The run that makes a snapshot real, from its first stage on. */
export function newRun(snapshot: Snapshot, pinned: readonly PinnedArtifact[]): RunProgress {
  const { stageSet, spec, now } = snapshot;
  const id = identify(snapshot, pinned);
  const forced = forcedStage(stageSet);
  const purpose = purposeOf(snapshot, pinned);
  const desired = desiredOf(snapshot, pinned);
  const start = {
    id,
    attempt: attemptAt(id, snapshot),
    generation: stageSet.metadata.generation ?? 0,
    spec,
    purpose: forced === undefined ? purpose : forcedPurpose(purpose),
    pinned,
    startedAt: now,
    requestedAt: requestedAt(stageSet),
    ...(forced === undefined ? {} : { forced }),
    ...deliveredBy(snapshot),
    deployed: deployedArtifacts(stageSet, spec.stages, pinned, standing(snapshot.run)),
    actionFailures: isAskedAnew(stageSet) ? 0 : (stageSet.status?.actionFailureCount ?? 0),
    migrationFailures: isAskedAnew(stageSet) ? 0 : (stageSet.status?.migrationFailureCount ?? 0),
    ...(desired === undefined ? {} : { desiredVersion: desired }),
  };
  const names = spec.stages.map(({ name }) => name);
  return startRun(start, names);
}

/** What is kept while a gate holds is kept by the spec that it was delivered by. */
function deliveredBy({ run, spec, stageSet }: Snapshot): Pick<RunProgress, 'deliveredSpec'> {
  const { metadata, status } = stageSet;
  const before = standing(run);
  const known = before?.outcome?.kind === 'Succeeded' ? before.spec : before?.deliveredSpec;
  if (known !== undefined) return { deliveredSpec: known };
  const same = status?.lastAppliedGeneration === metadata.generation;
  return same ? { deliveredSpec: spec } : {};
}

/** What runs anew by hand is on record, and no mere re-assertion. */
function forcedPurpose(purpose: RunPurpose): RunPurpose {
  return purpose === 'Reassert' ? 'Retry' : purpose;
}

/** A person has asked since the status was written: what failed before is forgotten (part A 2.2). */
function isAskedAnew(stageSet: StageSet): boolean {
  const asked = requestedAt(stageSet);
  return asked !== undefined && asked !== stageSet.status?.lastHandledReconcileAt;
}

/** A forced reconcile starts the backoff over (part A 2.2). */
function attemptAt(id: string, { run: before, stageSet }: Snapshot): number {
  const forced = before?.requestedAt !== requestedAt(stageSet);
  const again = !forced && before?.id === id && before.outcome?.kind === 'Failed';
  return again ? before.attempt + 1 : 1;
}

function purposeOf(snapshot: Snapshot, pinned: readonly PinnedArtifact[]): RunPurpose {
  const { stageSet, run } = snapshot;
  if (run !== undefined) return purposeAfter(run, identify(snapshot, pinned));
  return purposeByStatus(stageSet, pinned);
}

/** The version that a run of the snapshot leads to, as far as it is known. */
function desiredOf(snapshot: Snapshot, pinned: readonly PinnedArtifact[]): string | undefined {
  const wanted = wantedVersion({ ...snapshot, pinned });
  return wanted.kind === 'Known' ? wanted.version : undefined;
}

/** Equal for all who see the same snapshot. */
export function identify(snapshot: Snapshot, pinned: readonly PinnedArtifact[]): string {
  const { stageSet, spec } = snapshot;
  return runId({
    uid: stageSet.metadata.uid ?? '',
    generation: stageSet.metadata.generation ?? 0,
    stages: pinned.map(({ revision, digest }, index) => ({
      name: spec.stages[index]?.name ?? '',
      revision,
      digest,
    })),
    desiredVersion: desiredOf(snapshot, pinned),
  });
}

/** The artifacts that a run of the snapshot uses, in stage order, where all sources are there. */
export function pin({ sources }: Snapshot): PinnedArtifact[] {
  return sources.flatMap((source) => (source.kind === 'Ready' ? [source.artifact] : []));
}

/** What asks for a reconcile, whatever else has changed. */
export function requestedAt(stageSet: StageSet): string | undefined {
  return stageSet.metadata.annotations?.[requestedAtAnnotation];
}
