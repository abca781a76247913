import type { AwaitedHealth } from '../core/health/awaited.ts';
import { missingHealth } from '../core/health/job.ts';
import { healthNeedsRead, objectHealth } from '../core/health/status.ts';
import { identityOf, referenceTo } from '../core/objects/identity.ts';
import type { Instant } from '../core/time.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { AppliedObject } from './applied-object.ts';
import { locateChecks } from './locate-checks.ts';
import { type LiveObjects, type Reader, readEach, readOwned } from './read-live.ts';

/** Health as the answers to the apply tell it; what they cannot tell is `Unknown` for now. */
export function healthOfApplied(applied: readonly AppliedObject[], at: Instant): AwaitedHealth[] {
  return applied.map(({ live, completeness }) => {
    const object = referenceTo(live);
    const ifMissing = missingHealth(live);
    if (completeness === 'Metadata' && healthNeedsRead(object)) {
      return { object, ifMissing, status: 'Unknown', message: 'not read yet' };
    }
    return { object, ifMissing, ...objectHealth(live, at) };
  });
}

/** What a look found: the health of what is waited for, and the objects that told it. */
export interface HealthLook {
  readonly health: readonly AwaitedHealth[];
  readonly live: LiveObjects;
}

/**
 * Reads the objects again whose health can change, all of them: one that was ready at the last look
 * may no longer be. An object that cannot be read is `Unknown`, which is neither ready nor failed.
 */
export async function lookAtHealth(
  before: readonly AwaitedHealth[],
  reader: Reader,
  at: Instant,
  call: CallOptions,
): Promise<HealthLook> {
  const { awaited, unlocated } = await locateChecks(before, reader.client, call);
  const asked = awaited.filter(
    (report) => mayHaveChanged(report) && !unlocated.has(identityOf(report.object)),
  );
  const live = new Map([
    ...unlocated,
    ...(await readOwned(objectsOf(asked, undefined), reader, call)),
    ...(await readEach(objectsOf(asked, 'Check'), 'Health', reader.client, call)),
  ]);
  const health = awaited.map((report) =>
    mayHaveChanged(report) ? reread(report, live, at) : report,
  );
  return { health, live };
}

function objectsOf(
  awaited: readonly AwaitedHealth[],
  origin: AwaitedHealth['origin'],
): AwaitedHealth['object'][] {
  return awaited.filter((report) => report.origin === origin).map(({ object }) => object);
}

function reread(report: AwaitedHealth, live: LiveObjects, at: Instant): AwaitedHealth {
  const found = live.get(identityOf(report.object));
  if (found === undefined) return { ...report, ...report.ifMissing };
  if (found instanceof Error) return { ...report, status: 'Unknown', message: found.message };
  return { ...report, ifMissing: missingHealth(found), ...objectHealth(found, at) };
}

/**
 * Existing is all that some kinds can do; of those only one that was going away is read again, and
 * one that somebody else applied.
 */
function mayHaveChanged({ object, status, origin }: AwaitedHealth): boolean {
  return healthNeedsRead(object) || status !== 'Current' || origin === 'Check';
}
