import { digestOf } from '../core/hash.ts';
import { identityOf, referenceTo } from '../core/objects/identity.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { type AppliedMemory, type AppliedRecord, untouchedSince } from './applied-memory.ts';
import { combinedFailure, objectFailure } from './failures.ts';
import { fieldManager } from './field-manager.ts';
import { allFulfilled, eachInFlight } from './in-flight.ts';
import { type OwnerSelector, observeLive } from './observe.ts';

/** Requests of one group under way at once; the client bounds what one server gets in all. */
const inFlight = 16;

/** `Created` and `Configured` were written; `Unchanged` was found as desired. */
type ApplyOutcome = 'Created' | 'Configured' | 'Unchanged';

export interface AppliedObject {
  /** As the server has it now. Of an unchanged object this may be its metadata only. */
  readonly live: KubernetesObject;
  readonly completeness: 'Object' | 'Metadata';
  readonly outcome: ApplyOutcome;
}

export interface ApplyTarget {
  /** Acts as the tenant on the cluster that is applied to. */
  readonly client: KubernetesClient;
  /** Prefix of the target's objects in the memory: one for each cluster and identity. */
  readonly scope: string;
  readonly memory: AppliedMemory;
  readonly owner: OwnerSelector;
}

/** A group that the server has accepted in a dry-run, so that it can be written. */
export interface ValidatedGroup {
  readonly desired: readonly Desired[];
  /** Objects that nobody changed since they were applied; they cost no request. */
  readonly untouched: ReadonlyMap<string, AppliedObject>;
  /** The resourceVersion of each other object before the write, empty for a new one. */
  readonly before: ReadonlyMap<string, string>;
}

/**
 * The first half of applying a group server-side (part A 5.1): finds what neither side changed since
 * it was last applied, and validates all else by a dry-run, every object before the first is written,
 * so that an invalid one leaves nothing half applied. It writes nothing.
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
  const desired = objects.map((object) => desire(object, target.scope));
  const untouched = await find(desired, target, call);
  const changed = desired.filter(({ key }) => !untouched.has(key));
  return { desired, untouched, before: await validateAll(changed, target, call) };
}

/**
 * The second half: writes what was validated. Returns the live objects in the order of the group.
 * Throws as `validateGroup` does; the objects that did not fail are written then.
 */
export async function writeGroup(
  { desired, untouched, before }: ValidatedGroup,
  target: ApplyTarget,
  call: CallOptions,
): Promise<AppliedObject[]> {
  const changed = desired.filter(({ key }) => !untouched.has(key));
  const written = await writeAll(changed, before, target, call);
  return desired.flatMap(({ key }) => untouched.get(key) ?? written.get(key) ?? []);
}

/** Finds the objects, by key, that are as they were applied and need no request. */
export type FindUntouched = (
  desired: readonly Desired[],
  target: ApplyTarget,
  call: CallOptions,
) => Promise<Map<string, AppliedObject>>;

export interface Desired {
  readonly key: string;
  readonly digest: string;
  readonly object: KubernetesObject;
}

function desire(object: KubernetesObject, scope: string): Desired {
  return { key: `${scope}|${identityOf(object)}`, digest: digestOf(object), object };
}

/** Objects that render as they did and whose live copy nobody touched, by key. */
async function findUntouched(
  desired: readonly Desired[],
  { client, memory, owner }: ApplyTarget,
  call: CallOptions,
): Promise<Map<string, AppliedObject>> {
  const untouched = new Map<string, AppliedObject>();
  const candidates = desired.filter(({ key, digest }) => memory.recall(key)?.desired === digest);
  const live = await observeLive(
    candidates.map(({ object }) => object),
    owner,
    client,
    call,
  );
  for (const { key, object } of candidates) {
    const record = memory.recall(key);
    const found = live.get(identityOf(object));
    if (record === undefined || found === undefined) continue;
    if (!untouchedSince(record, found.object, metadataDigest)) continue;
    untouched.set(key, {
      live: found.object,
      completeness: found.completeness,
      outcome: 'Unchanged',
    });
  }
  return untouched;
}

/** The resourceVersion of each object as the server had it before the write, empty for a new one. */
async function validateAll(
  desired: readonly Desired[],
  { client }: ApplyTarget,
  call: CallOptions,
): Promise<Map<string, string>> {
  const results = await eachInFlight(desired, inFlight, async ({ key, object }) => {
    try {
      const options = { fieldManager, force: true, dryRun: 'All' as const };
      const { metadata } = await client.apply(object, options, call);
      return [key, metadata.resourceVersion ?? ''] as const;
    } catch (error) {
      throw objectFailure(referenceTo(object), error);
    }
  });
  return new Map(allFulfilled(results, combinedFailure));
}

async function writeAll(
  desired: readonly Desired[],
  before: ReadonlyMap<string, string>,
  { client, memory, owner }: ApplyTarget,
  call: CallOptions,
): Promise<Map<string, AppliedObject>> {
  const results = await eachInFlight(desired, inFlight, async ({ key, digest, object }) => {
    memory.forget(key);
    try {
      const live = await client.apply(object, { fieldManager, force: true }, call);
      memory.remember(key, recordOf(live, digest, owner.stage));
      const outcome = outcomeOf(before.get(key) ?? '', live);
      return [key, { live, completeness: 'Object', outcome }] as const;
    } catch (error) {
      throw objectFailure(referenceTo(object), error);
    }
  });
  return new Map<string, AppliedObject>(allFulfilled(results, combinedFailure));
}

/**
 * A dry-run leaves the resourceVersion of an existing object as it is and gives a new one none; an
 * apply that changes nothing is not written and so does not move it either.
 */
function outcomeOf(before: string, live: KubernetesObject): ApplyOutcome {
  if (before === '') return 'Created';
  return before === live.metadata.resourceVersion ? 'Unchanged' : 'Configured';
}

/** What is remembered of an object that is in the cluster as it was rendered. */
export function recordOf(live: KubernetesObject, desired: string, stage: string): AppliedRecord {
  return {
    desired,
    stage,
    uid: live.metadata.uid ?? '',
    resourceVersion: live.metadata.resourceVersion ?? '',
    generation: live.metadata.generation,
    metadata: metadataDigest(live),
  };
}

/** Digest of the labels and annotations, which no generation counts. */
export function metadataDigest({ metadata }: KubernetesObject): string {
  return digestOf({ labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {} });
}
