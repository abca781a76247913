import { identityOf } from '../core/objects/identity.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { metadataDigest, untouchedSince } from './applied-memory.ts';
import type { AppliedObject } from './applied-object.ts';
import { type ApplyTarget, type Desired, desireAll } from './apply-target.ts';
import { combinedFailure } from './failures.ts';
import { allFulfilled, eachInFlight, objectsInFlight } from './in-flight.ts';
import { findKept } from './keep-existing.ts';
import { observeLive } from './observe.ts';
import type { Replacement } from './recreate.ts';
import { tryObjects } from './trial.ts';
import { type Write, writeObject } from './write-object.ts';

/** A group that the server has accepted in a dry-run, so that it can be written. */
export interface ValidatedGroup {
  readonly desired: readonly Desired[];
  /** Objects that need no write, by key: unchanged since they were applied, or only to be kept. */
  readonly untouched: ReadonlyMap<string, AppliedObject>;
  /** The resourceVersion of each other object before the write, empty for a new one. */
  readonly before: ReadonlyMap<string, string>;
  /** Live objects, by key, that nobody owned so far. */
  readonly adopted: ReadonlyMap<string, KubernetesObject>;
  /** Objects that must be deleted and gone before the group can be applied. */
  readonly replacements: readonly Replacement[];
}

/**
 * The first half of applying a group server-side (part A 5.1): finds what neither side changed since
 * it was last applied, and validates all else by a dry-run, every object before the first is written,
 * so that an invalid one leaves nothing half applied. An object that somebody else owns is refused.
 * It changes no object; one that `kubectl apply` managed may be handed over, see `takeOver`.
 *
 * Throws one error that names every object that failed: DeniedError, TerminalError or
 * RetryableError.
 */
export async function validateGroup(
  objects: readonly KubernetesObject[],
  target: ApplyTarget,
  call: CallOptions,
  find: FindUntouched = findUntouched,
): Promise<ValidatedGroup> {
  const desired = await desireAll(objects, target);
  const kept = await findKept(desired, target, call);
  const applied = desired.filter(({ key }) => !kept.has(key));
  const { untouched, ours } = await find(applied, target, call);
  const changed = applied.filter(({ key }) => !untouched.has(key));
  const { failures, ...trials } = await tryObjects(changed, ours, target, call);
  if (failures.length > 0) throw combinedFailure(failures);
  return { desired, untouched: new Map([...kept, ...untouched]), ...trials };
}

/**
 * The second half: writes what was validated. Returns the live objects in the order of the group.
 * Throws as `validateGroup` does; the objects that did not fail are written then.
 */
export async function writeGroup(
  { desired, untouched, before, adopted }: ValidatedGroup,
  target: ApplyTarget,
  call: CallOptions,
): Promise<AppliedObject[]> {
  const changed = desired.filter(({ key }) => !untouched.has(key));
  const results = await eachInFlight(changed, objectsInFlight, async (each) => {
    const write: Write = { desired: each, before: before.get(each.key) ?? '' };
    const live = adopted.get(each.key);
    const known = live === undefined ? write : { ...write, adopted: live };
    return [each.key, await writeObject(known, target, call)] as const;
  });
  const written = new Map(allFulfilled(results, combinedFailure));
  return desired.flatMap(({ key }) => untouched.get(key) ?? written.get(key) ?? []);
}

/** What was found out about objects before any of them is tried. */
interface Untouched {
  /** Objects, by key, that are as they were applied and need no request. */
  readonly untouched: ReadonlyMap<string, AppliedObject>;
  /** Keys of all objects that were seen with the owner's labels on the way. */
  readonly ours: ReadonlySet<string>;
}

export type FindUntouched = (
  desired: readonly Desired[],
  target: ApplyTarget,
  call: CallOptions,
) => Promise<Untouched>;

/**
 * Objects that render as they did and whose live copy nobody touched, by key; and the keys of all
 * objects that were seen with the stage's labels on the way.
 */
async function findUntouched(
  desired: readonly Desired[],
  { client, memory, owner }: ApplyTarget,
  call: CallOptions,
): Promise<Untouched> {
  const untouched = new Map<string, AppliedObject>();
  const candidates = desired.filter(({ key, digest }) => memory.recall(key)?.desired === digest);
  const live = await observeLive(
    candidates.map(({ object }) => object),
    owner,
    client,
    call,
  );
  const ours = new Set<string>();
  for (const { key, digest, object } of desired) {
    const found = live.get(identityOf(object));
    if (found === undefined) continue;
    ours.add(key);
    const record = memory.recall(key);
    if (record?.desired !== digest) continue;
    if (!untouchedSince(record, found.object, metadataDigest)) continue;
    untouched.set(key, {
      live: found.object,
      completeness: found.completeness,
      outcome: 'Unchanged',
    });
  }
  return { untouched, ours };
}
