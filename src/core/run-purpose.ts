import type { StageSet } from '../types/stages.ts';
import type { PinnedArtifact } from './pinned-artifact.ts';
import type { RunProgress, RunPurpose } from './run.ts';
import { appliedRevisionOf } from './status.ts';

/**
 * What a run does that follows one that is remembered: the same snapshot is re-asserted once it has
 * succeeded, whatever has held it since, and retried before.
 */
export function purposeAfter(before: RunProgress, id: string): RunPurpose {
  if (before.id !== id) return 'Rollout';
  switch (before.outcome?.kind) {
    case undefined:
      return before.purpose;
    case 'Succeeded':
      return 'Reassert';
    case 'Failed':
    case 'Held':
    case 'Progressing':
      return 'Retry';
  }
}

/**
 * What a run does that no memory tells of, by the status alone. A hold before the run says nothing
 * about whether this generation was ever attempted, so that the run counts as the first.
 */
export function purposeByStatus(
  { metadata, spec, status = {} }: StageSet,
  pinned: readonly PinnedArtifact[],
): RunPurpose {
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  const attempted =
    status.observedGeneration === metadata.generation &&
    pinned.every(({ source, revision }) => status.lastAttemptedRevisions?.[source] === revision);
  // A rollout that a restart cut off goes on as what it was.
  if (!attempted || ready?.status === 'Unknown') return 'Rollout';
  if (holdsBeforeRun.has(ready?.reason ?? '')) return 'Rollout';
  const applied = (spec?.stages ?? []).every(
    ({ name }, index) => appliedRevisionOf(status, name) === pinned[index]?.revision,
  );
  return ready?.status === 'True' && applied ? 'Reassert' : 'Retry';
}

/** Reasons of the gates before a run, which it may not have got past. */
const holdsBeforeRun: ReadonlySet<string> = new Set([
  'DependencyNotReady',
  'Stalled',
  'SourceNotReady',
  'ArtifactNotFound',
  'ResolveFailed',
]);
