import type { RunProgress } from '../run.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Instant } from '../time.ts';
import { decideWindowGate } from './window-hold.ts';

/** Whether nothing may be written at all, not even to correct drift, and until when. */
export function frozenUntil(
  run: RunProgress,
  { stageSet, now }: Snapshot,
): { readonly until: Instant | undefined } | undefined {
  const { outcome, spec, overrides } = run;
  if (outcome?.kind === 'Held' && outcome.hold.frozen === true)
    return { until: outcome.hold.until };
  if (spec.windowScope !== 'All') return undefined;
  // The window may have closed since the run came to its end.
  const overridden = overrides?.Update?.effective === true;
  const asked = { stageSet, spec, newRevisions: false, now, since: undefined, overridden };
  const verdict = decideWindowGate(asked);
  return verdict.kind === 'Held' ? { until: verdict.until } : undefined;
}
