import type { StageSet } from '../types/stages.ts';
import { cutMessage } from './conditions.ts';
import type { RunProgress } from './run.ts';

/** Flux's key for the revision that an event is about, under our own group (Flux events). */
const revisionAnnotation = 'stages.metio.wtf/revision';

/** Annotations of an object under this prefix go with each of its events (Flux RFC-0008). */
const metadataPrefix = 'event.toolkit.fluxcd.io/';

/** An event is small; what a tenant annotates must not make the API server refuse it. */
const mostRevisions = 10;
const mostMetadata = 20;
const longestValue = 1024;

/**
 * What an event tells machines: the distinct revisions of the run in stage order, with commas between
 * them, and the metadata that the StageSet asks for. Without a run there is no revision to tell.
 */
export function eventAnnotations(
  stageSet: StageSet,
  run: RunProgress | undefined,
): Record<string, string> {
  const asked = Object.entries(stageSet.metadata.annotations ?? {})
    .filter(([key]) => key.startsWith(metadataPrefix))
    .slice(0, mostMetadata)
    .map(([key, value]) => [key, cutMessage(value, longestValue)] as const);
  const revisions = [...new Set(run?.pinned.map(({ revision }) => revision))];
  if (revisions.length === 0) return Object.fromEntries(asked);
  const listed = revisions.slice(0, mostRevisions).join(',');
  const more = revisions.length > mostRevisions ? ',...' : '';
  return {
    ...Object.fromEntries(asked),
    [revisionAnnotation]: cutMessage(`${listed}${more}`, longestValue),
  };
}

/** The run that a verdict speaks of: one that has ended with it, not one from before a hold. */
export function runBehind(run: RunProgress | undefined, reason: string): RunProgress | undefined {
  switch (run?.outcome?.kind) {
    case undefined:
      return undefined;
    case 'Succeeded':
      return reason === 'Succeeded' ? run : undefined;
    case 'Progressing':
      return reason === 'StageProgressing' ? run : undefined;
    case 'Held':
      return run.outcome.hold.deployed !== true && reason === run.outcome.hold.reason
        ? run
        : undefined;
    case 'Failed':
      return reason === run.outcome.failure.reason ? run : undefined;
  }
}
