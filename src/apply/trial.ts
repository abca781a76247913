import { RetryableError, TerminalError } from '../core/errors.ts';
import { forceAnnotation } from '../core/objects/conflict-policy.ts';
import { foreignOwner } from '../core/objects/foreign-owner.ts';
import { describeObject, referenceTo } from '../core/objects/identity.ts';
import { isOwnedBy, stageLabel } from '../core/objects/ownership.ts';
import { isImmutableChange, isInvalid, noAnswer } from '../kubernetes/api-error.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { ApplyTarget, Desired } from './apply-target.ts';
import { objectFailure } from './failures.ts';
import { fieldManager } from './field-manager.ts';
import { eachInFlight, objectsInFlight } from './in-flight.ts';
import { findLive } from './live-objects.ts';
import { proveCreatable, type Replacement } from './recreate.ts';
import { canTakeOver, takeOver } from './take-over.ts';

/** What the server says to an object in a dry-run, and what it takes to write it then. */
export interface Trials {
  /** The resourceVersion of each object as it is, empty for one that does not exist. */
  readonly before: ReadonlyMap<string, string>;
  /** Live objects, by key, that nobody owned so far. */
  readonly adopted: ReadonlyMap<string, KubernetesObject>;
  /** What can only be had by replacing the live object, and may be. */
  readonly replacements: readonly Replacement[];
  readonly failures: readonly unknown[];
}

/** The answer of the server to one dry-run. */
type Answer =
  | { readonly kind: 'Accepted'; readonly desired: Desired; readonly object: KubernetesObject }
  | { readonly kind: 'Refused'; readonly desired: Desired; readonly error: unknown };

/** What is to be done about one object. */
type Verdict =
  | { readonly kind: 'Write'; readonly before: string; readonly adopted?: KubernetesObject }
  | { readonly kind: 'Replace'; readonly uid: string; readonly resourceVersion: string };

/**
 * Tries every object in a dry-run, one request each. An object that exists, and that is not known to
 * be the StageSet's, is looked at as well: somebody else may own it. `ours` are the objects that have
 * just been seen with the stage's labels.
 */
export async function tryObjects(
  desired: readonly Desired[],
  ours: ReadonlySet<string>,
  target: ApplyTarget,
  call: CallOptions,
): Promise<Trials> {
  const results = await eachInFlight(desired, objectsInFlight, (each) =>
    dryRun(each, target, call),
  );
  const failures: unknown[] = [];
  const answers: Answer[] = [];
  for (const result of results) {
    if (result.status === 'fulfilled') answers.push(result.value);
    else failures.push(result.reason);
  }
  // A server that does not answer would not answer the questions about owners either.
  const unclear =
    failures.length > 0 ? [] : answers.filter((each) => isUnclear(each, ours, target));
  const found = await findLive(unclear.map(toDesired), target, call);
  const judged = await eachInFlight(answers, objectsInFlight, async (answer) => {
    const { key } = answer.desired;
    // Whose an object is cannot be told without reading it; a refusal is news in itself.
    if (answer.kind === 'Accepted' && found.failures.has(key)) throw found.failures.get(key);
    return await judge(answer, found.live.get(key)?.object, target, call);
  });
  const before = new Map<string, string>();
  const adopted = new Map<string, KubernetesObject>();
  const replacements: Replacement[] = [];
  for (const [index, { desired: each }] of answers.entries()) {
    const verdict = judged[index];
    if (verdict?.status !== 'fulfilled') {
      failures.push(verdict?.reason);
    } else if (verdict.value.kind === 'Replace') {
      const { uid, resourceVersion } = verdict.value;
      replacements.push({ desired: each, uid, resourceVersion });
    } else {
      before.set(each.key, verdict.value.before);
      if (verdict.value.adopted !== undefined) adopted.set(each.key, verdict.value.adopted);
    }
  }
  return { before, adopted, replacements, failures };
}

function toDesired({ desired }: Answer): Desired {
  return desired;
}

/** Throws only where there was no answer, so that the others are not asked for in vain. */
async function dryRun(
  desired: Desired,
  { client }: ApplyTarget,
  call: CallOptions,
): Promise<Answer> {
  try {
    const options = { fieldManager, force: true, dryRun: 'All' as const };
    return { kind: 'Accepted', desired, object: await client.apply(desired.object, options, call) };
  } catch (error) {
    if (noAnswer(error) !== undefined) throw objectFailure(referenceTo(desired.object), error);
    return { kind: 'Refused', desired, error };
  }
}

/**
 * Whether somebody must look who owns the object. The labels in the answer say nothing of it, since
 * the apply has put ours there; but an object is ours that nobody has changed since we wrote it.
 */
function isUnclear(answer: Answer, ours: ReadonlySet<string>, { memory }: ApplyTarget): boolean {
  const { key } = answer.desired;
  if (answer.kind === 'Refused') return isInvalid(answer.error);
  const { uid, resourceVersion = '' } = answer.object.metadata;
  if (resourceVersion === '' || ours.has(key)) return false;
  const record = memory.recall(key);
  return record?.uid !== uid || record?.resourceVersion !== resourceVersion;
}

/** @throws TerminalError for an object of another owner, and what the server said of a refused one. */
async function judge(
  answer: Answer,
  live: KubernetesObject | undefined,
  target: ApplyTarget,
  call: CallOptions,
): Promise<Verdict> {
  const { desired } = answer;
  const seen = live ?? (answer.kind === 'Accepted' ? answer.object : undefined);
  if (seen !== undefined) refuseForeign(seen, desired, target);
  if (answer.kind === 'Refused') return await judgeRefused(answer, live, target, call);
  const before = answer.object.metadata.resourceVersion ?? '';
  return live === undefined || isOwnedBy(live, target.owner)
    ? { kind: 'Write', before }
    : { kind: 'Write', before, adopted: live };
}

/** @throws TerminalError that names the object and its owner. */
function refuseForeign(live: KubernetesObject, { object }: Desired, target: ApplyTarget): void {
  refuseOwnStage(live, target);
  const other = foreignOwner(live, object, target.owner, target.stageSetExists);
  if (other === undefined) return;
  throw new TerminalError(
    `${describeObject(object)}: it belongs to ${other}; remove it from there or from this stage, ` +
      'leave it alone with action KeepExisting in conflictPolicy, or, where that owner is gone, ' +
      'remove its labels and annotations from the object',
    { reason: 'StageFailed', object: referenceTo(object) },
  );
}

/** An action must not take from a stage of its own StageSet what that applies and prunes. */
function refuseOwnStage(live: KubernetesObject, { owner }: ApplyTarget): void {
  const stage = live.metadata.labels?.[stageLabel];
  if (owner.stage !== '' || stage === undefined || !isOwnedBy(live, owner)) return;
  throw new TerminalError(
    `${describeObject(live)}: stage ${stage} applies it already; remove it from there or from the ` +
      'artifact of this action',
    { reason: 'StageFailed', object: referenceTo(live) },
  );
}

async function judgeRefused(
  { desired, error }: Extract<Answer, { kind: 'Refused' }>,
  live: KubernetesObject | undefined,
  target: ApplyTarget,
  call: CallOptions,
): Promise<Verdict> {
  const { object, onConflict } = desired;
  const reference = referenceTo(object);
  if (live !== undefined && canTakeOver(live, target)) {
    // Fields that only kubectl owns may be what is wrong; they go once they are ours.
    const now = await takenOver(live, target, call);
    return await judge(await dryRun(desired, target, call), now, target, call);
  }
  const { uid, resourceVersion = '' } = live?.metadata ?? {};
  if (!isImmutableChange(error) || uid === undefined) throw objectFailure(reference, error);
  if (onConflict !== 'Recreate') throw withAdvice(objectFailure(reference, error), target);
  try {
    await proveCreatable(object, target.client, call);
  } catch (invalid) {
    throw objectFailure(reference, invalid);
  }
  return { kind: 'Replace', uid, resourceVersion };
}

async function takenOver(
  live: KubernetesObject,
  target: ApplyTarget,
  call: CallOptions,
): Promise<KubernetesObject> {
  const reference = referenceTo(live);
  try {
    await takeOver(live, target, call);
    return (await target.client.find(reference, call, { as: 'Metadata' })) ?? live;
  } catch (error) {
    throw objectFailure(reference, error);
  }
}

function withAdvice(failure: Error, { owner }: ApplyTarget): Error {
  // An action replaces nothing.
  if (owner.stage === '') return failure;
  return new RetryableError(
    `${failure.message} (to have the object replaced, set action Recreate for it in ` +
      `conflictPolicy, or the annotation ${forceAnnotation})`,
    { cause: failure },
  );
}
