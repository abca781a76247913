import type { StageRun as ServedRun } from '../../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { StageRun } from '../../../types/stages.ts';
import type { Named } from '../subject.ts';

/** A record as it is stored, under its own apiVersion and kind. */
export function storedRun({ metadata, ...run }: StageRun, { namespace }: Named): ServedRun {
  const { creationTimestamp, ...rest } = metadata;
  return {
    ...run,
    metadata: {
      ...rest,
      namespace,
      ...(typeof creationTimestamp === 'string' ? { creationTimestamp } : {}),
    },
  };
}
