import { contains } from '../core/drift/contains.ts';
import { identityOf, referenceTo } from '../core/objects/identity.ts';
import { isOwnedBy } from '../core/objects/ownership.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { recordOf } from './applied-memory.ts';
import type { AppliedObject } from './applied-object.ts';
import type { FindUntouched, ValidatedGroup } from './apply-group.ts';
import type { ApplyTarget, Desired } from './apply-target.ts';
import { eachInFlight } from './in-flight.ts';

/**
 * Live objects as they were before they were written, by identity: undefined for one that did not
 * exist. One that could not be read is not in it.
 */
export type BeforeWrite = Map<string, KubernetesObject | undefined>;

const inFlight = 8;

/**
 * Reads each object instead of listing them all: for the few that are known to have been touched.
 * Those that still have all that is rendered need no request more. What was read is put into `before`.
 */
export function readEach(before: BeforeWrite): FindUntouched {
  return async (desired, target, call) => {
    await readInto(before, desired, target, call);
    const untouched = new Map<string, AppliedObject>();
    const ours = new Set<string>();
    for (const { key, digest, object } of desired) {
      const live = before.get(identityOf(object));
      if (live === undefined) continue;
      if (isOwnedBy(live, target.owner)) ours.add(key);
      if (!contains(live, object)) continue;
      untouched.set(key, { live, completeness: 'Object', outcome: 'Unchanged' });
      // What somebody added of his own is known now, and no news any more.
      target.memory.remember(key, recordOf(live, digest, target.owner.stage));
    }
    return { untouched, ours };
  };
}

/** More than these are corrected without a look at each of them first. */
const mostRead = 20;

/**
 * Reads the objects of a validated group that were applied before and have been touched since, as far
 * as they are few. What was never applied by this process is not known to have been touched.
 */
export async function readTouched(
  { desired, untouched }: ValidatedGroup,
  target: ApplyTarget,
  call: CallOptions,
): Promise<BeforeWrite> {
  const touched = desired.filter(
    ({ key, digest }) => !untouched.has(key) && target.memory.peek(key)?.desired === digest,
  );
  const before: BeforeWrite = new Map();
  if (touched.length <= mostRead) await readInto(before, touched, target, call);
  return before;
}

async function readInto(
  before: BeforeWrite,
  desired: readonly Desired[],
  { client }: ApplyTarget,
  call: CallOptions,
): Promise<void> {
  const results = await eachInFlight(
    desired,
    inFlight,
    async ({ object }) => await client.find(referenceTo(object), call),
  );
  call.signal.throwIfAborted();
  for (const [index, { object }] of desired.entries()) {
    const result = results[index];
    // Who may write but not read is told less; the write does not need it.
    if (result?.status === 'fulfilled') before.set(identityOf(object), result.value);
  }
}
