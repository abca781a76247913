import type { Gate } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import { standing } from '../run.ts';
import { type Instant, timeOf } from '../time.ts';
import type { EntryQuestion } from './entry-gate.ts';

/** Since when a gate holds this run; undefined where it does not, or did not until now. */
export function heldSince({ snapshot, run }: EntryQuestion, gate: Gate): Instant | undefined {
  const { outcome, id } = standing(snapshot.run) ?? {};
  if (outcome?.kind !== 'Held' || id !== run.id) return undefined;
  return timeOf(outcome.hold.holds.find((hold) => hold.gate === gate)?.since);
}
