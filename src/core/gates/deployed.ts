import type { StageSet } from '../../types/stages.ts';
import type { PinnedArtifact } from '../pinned-artifact.ts';
import type { RunProgress } from '../run.ts';
import { appliedRevisionOf } from '../status.ts';

/**
 * The artifacts that are applied while others are pinned, so that they can be kept as they are: by
 * the run before, or by the status after a restart (part B 1.4).
 */
export function deployedArtifacts(
  { status }: StageSet,
  stages: readonly { readonly name: string }[],
  pinned: readonly PinnedArtifact[],
  before: RunProgress | undefined,
): (PinnedArtifact | undefined)[] {
  return stages.map(({ name }, index) => {
    const applied = appliedRevisionOf(status ?? {}, name);
    const wanted = pinned[index];
    if (applied === undefined || wanted === undefined) return undefined;
    if (wanted.revision === applied) return wanted;
    const known = [...pinnedBy(before, name), ...recorded(name, wanted.source)];
    return known.find(({ revision }) => revision === applied);
  });

  function recorded(stage: string, source: string): PinnedArtifact[] {
    const entry = status?.lastAppliedSnapshot?.find((each) => each.stage === stage);
    if (entry?.revision === undefined) return [];
    const { url, revision, digest } = entry;
    return [{ source, url, revision, digest }];
  }
}

function pinnedBy(run: RunProgress | undefined, stage: string): PinnedArtifact[] {
  const index = run?.spec.stages.findIndex(({ name }) => name === stage) ?? -1;
  const deployed = run?.deployed?.[index];
  const pinned = run?.pinned[index];
  return [pinned, deployed].filter((artifact) => artifact !== undefined);
}
