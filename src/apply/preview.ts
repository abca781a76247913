import type { ConflictSettings } from '../core/objects/conflict-policy.ts';
import { foreignOwner } from '../core/objects/foreign-owner.ts';
import { referenceTo } from '../core/objects/identity.ts';
import { nameLabel, namespaceLabel, stageLabel } from '../core/objects/ownership.ts';
import { isAsRendered } from '../core/plan/as-rendered.ts';
import { differsFrom } from '../core/plan/field-changes.ts';
import {
  isImmutableChange,
  isInvalid,
  isNoKindMatch,
  isNotFound,
  isTurnedAway,
  noAnswer,
} from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { type Desired, desireAll } from './apply-target.ts';
import { objectFailure } from './failures.ts';
import { fieldManager } from './field-manager.ts';
import { allFulfilled, eachInFlight, objectsInFlight } from './in-flight.ts';
import { findLive } from './live-objects.ts';
import type { OwnerSelector } from './observe.ts';
import { proveCreatable } from './recreate.ts';
import { canTakeOver } from './take-over.ts';

/** Where a stage would be applied, as whom and under which rules. */
export interface PreviewTarget {
  /** Acts as the tenant. */
  readonly client: KubernetesClient;
  readonly owner: OwnerSelector;
  readonly conflicts: ConflictSettings;
  readonly stageSetExists: (namespace: string, name: string) => Promise<boolean>;
  /** What the run itself would have brought before: an object of it fails in a dry-run only. */
  readonly brings: {
    readonly namespaces: ReadonlySet<string>;
    /** As `apiVersion/kind`. */
    readonly kinds: ReadonlySet<string>;
  };
  /** `None` compares with what is there by itself, and takes equal values for different ones now and then. */
  readonly dryRun: 'All' | 'None';
}

/** What a run would do to one object. */
export interface PreviewedObject {
  readonly object: KubernetesObject;
  readonly verb: 'Create' | 'Update' | 'Move' | 'Recreate' | 'Conflict' | 'Unchanged';
  /** Who else owns it, of a conflict. */
  readonly owner?: string;
  /** Why it could not be applied, of another conflict. */
  readonly error?: unknown;
  readonly before?: KubernetesObject;
  readonly after?: KubernetesObject;
}

/**
 * What an apply of the objects would come to, by the same rules and without changing anything: a
 * server-side dry-run of each as the tenant, compared with the live object.
 *
 * @throws RetryableError when the API server does not answer.
 */
export async function previewObjects(
  objects: readonly KubernetesObject[],
  target: PreviewTarget,
  call: CallOptions,
): Promise<PreviewedObject[]> {
  const desired = await desireAll(objects, { scope: '', conflicts: target.conflicts });
  const { live, failures } = await findLive(desired, target, call, 'Object');
  const results = await eachInFlight(desired, objectsInFlight, async (each) => {
    const failed = failures.get(each.key);
    if (failed !== undefined) {
      refuseSilence(failed);
      return isBrought(failed, each.object, target)
        ? created(each.object)
        : refused(each.object, failed);
    }
    return await preview(each, live.get(each.key)?.object, target, call);
  });
  return allFulfilled(results, ([first]) =>
    first instanceof Error ? first : new Error('no plan'),
  );
}

async function preview(
  { object, onConflict }: Desired,
  live: KubernetesObject | undefined,
  target: PreviewTarget,
  call: CallOptions,
): Promise<PreviewedObject> {
  if (live !== undefined) {
    if (onConflict === 'KeepExisting') return { object, verb: 'Unchanged' };
    const owner = await ownerOf(live, object, target);
    if (owner !== undefined) return { object, verb: 'Conflict', owner };
  }
  if (target.dryRun === 'None') return compared(object, live, { ...live, ...object });
  try {
    const options = { fieldManager, force: true, dryRun: 'All' as const };
    const after = await target.client.apply(object, options, call);
    return differing(object, live, after);
  } catch (error) {
    refuseSilence(error);
    if (live === undefined) {
      return isBrought(error, object, target) ? created(object) : refused(object, error);
    }
    return await previewRefused({ object, onConflict }, live, error, target, call);
  }
}

async function previewRefused(
  { object, onConflict }: Pick<Desired, 'object' | 'onConflict'>,
  live: KubernetesObject,
  error: unknown,
  { client, owner }: PreviewTarget,
  call: CallOptions,
): Promise<PreviewedObject> {
  if (isImmutableChange(error)) {
    if (onConflict !== 'Recreate') return refused(object, error);
    try {
      await proveCreatable(object, client, call);
      return { object, verb: 'Recreate', before: live };
    } catch (invalid) {
      refuseSilence(invalid);
      return refused(object, invalid);
    }
  }
  // Fields that only kubectl owns may be what is wrong: they go when the object is taken over, which
  // a plan cannot try.
  if (isInvalid(error) && canTakeOver(live, { owner })) return { object, verb: 'Update' };
  return refused(object, error);
}

async function ownerOf(
  live: KubernetesObject,
  object: KubernetesObject,
  { owner, stageSetExists }: PreviewTarget,
): Promise<string | undefined> {
  const { [nameLabel]: name, [namespaceLabel]: namespace } = live.metadata.labels ?? {};
  const known =
    name === undefined || namespace === undefined ? true : await stageSetExists(namespace, name);
  return foreignOwner(live, object, owner, () => known);
}

function differing(
  object: KubernetesObject,
  before: KubernetesObject | undefined,
  after: KubernetesObject,
): PreviewedObject {
  if (before === undefined) return { object, verb: 'Create', after };
  if (!differsFrom(before, after, fieldManager)) return { object, verb: 'Unchanged' };
  return { object, verb: verbOf(before, after), before, after };
}

function compared(
  object: KubernetesObject,
  before: KubernetesObject | undefined,
  after: KubernetesObject,
): PreviewedObject {
  if (before === undefined) return created(object);
  if (isAsRendered(before, object, fieldManager)) return { object, verb: 'Unchanged' };
  return { object, verb: verbOf(before, after) };
}

/** An object of another stage of the same StageSet changes hands. */
function verbOf(before: KubernetesObject, after: KubernetesObject): 'Move' | 'Update' {
  const [was, is] = [before, after].map(({ metadata }) => metadata.labels?.[stageLabel]);
  return was === undefined || was === is ? 'Update' : 'Move';
}

function created(object: KubernetesObject): PreviewedObject {
  return { object, verb: 'Create' };
}

function refused(object: KubernetesObject, error: unknown): PreviewedObject {
  return { object, verb: 'Conflict', error: objectFailure(referenceTo(object), error) };
}

/** Silence of the server, or that it turns everybody away, says nothing about an object. */
function refuseSilence(error: unknown): void {
  if (noAnswer(error) !== undefined) throw error;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isTurnedAway(cause)) throw error;
  }
}

function isBrought(
  error: unknown,
  { apiVersion, kind, metadata }: KubernetesObject,
  { brings }: PreviewTarget,
): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isNoKindMatch(cause)) return brings.kinds.has(`${apiVersion}/${kind}`);
    if (isNotFound(cause)) return brings.namespaces.has(metadata.namespace ?? '');
  }
  return false;
}
