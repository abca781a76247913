import type { RunProgress } from '../run.ts';
import type { Instant } from '../time.ts';

/** Whether nothing may be written at all, not even to correct drift, and until when. */
export function frozenUntil({
  outcome,
}: RunProgress): { readonly until: Instant | undefined } | undefined {
  if (outcome?.kind !== 'Held' || outcome.hold.frozen !== true) return undefined;
  return { until: outcome.hold.until };
}
