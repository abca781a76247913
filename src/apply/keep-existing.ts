import type { CallOptions } from '../kubernetes/transport.ts';
import type { AppliedObject } from './applied-object.ts';
import type { ApplyTarget, Desired } from './apply-target.ts';
import { combinedFailure } from './failures.ts';
import { findLive } from './live-objects.ts';

/**
 * Of the objects that are only to be created, those that exist: they are left as they are, whoever
 * has made them, and only their health is looked at (part A 5.3). By key.
 *
 * Throws one error that names every object that could not be read.
 */
export async function findKept(
  desired: readonly Desired[],
  target: ApplyTarget,
  call: CallOptions,
): Promise<Map<string, AppliedObject>> {
  const kept = desired.filter(({ onConflict }) => onConflict === 'KeepExisting');
  const { live, failures } = await findLive(kept, target, call);
  if (failures.size > 0) throw combinedFailure([...failures.values()]);
  return new Map(
    [...live].map(([key, { object, completeness }]) => [
      key,
      { live: object, completeness, outcome: 'Skipped' },
    ]),
  );
}
