import { isJob, readMade, withMade } from '../core/actions/action-marks.ts';
import { AbandonedAttempt, type Attempt, type MadeObject } from '../core/actions/attempt.ts';
import { jobObjects } from '../core/actions/job-objects.ts';
import { standingOf } from '../core/actions/job-standing.ts';
import { DeniedError, RetryableError, TerminalError } from '../core/errors.ts';
import { describeObject, referenceTo } from '../core/objects/identity.ts';
import { applyGroups } from '../core/objects/order.ts';
import { ApiError, isAlreadyExists, isForbidden } from '../kubernetes/api-error.ts';
import { objectError } from '../kubernetes/object-error.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { JobAction } from '../types/stages.ts';
import type { ActionContext } from './action-context.ts';
import { cleanUp, remove } from './clean-up.ts';
import { fieldManager } from './field-manager.ts';
import { clearLeftovers } from './leftover-jobs.ts';
import { tellSecretsOf } from './told-secrets.ts';

/**
 * Creates the objects of the action's artifact, the Jobs last, which are waited for then (part A 7.3).
 * After a restart it goes on with what it has made before, even if the source has changed since. What
 * an earlier attempt left behind goes
 * first, and another attempt finds its place free: nothing is changed, since a Job cannot be.
 *
 * @throws TerminalError where an object of somebody else has the name, or the artifact is of no use;
 *   DeniedError, with verb, resource and account; RetryableError.
 */
export async function attemptJob(
  context: ActionContext,
  job: JobAction,
  call: CallOptions,
): Promise<Attempt> {
  const { client } = context;
  const rendered = await context.tools.render(job, call);
  const scopes = new Map<string, 'Namespaced' | 'Cluster'>();
  for (const { apiVersion, kind } of rendered.objects) {
    const { scope } = await client.discovery.mappingFor(apiVersion, kind, call);
    scopes.set(`${apiVersion}/${kind}`, scope);
  }
  const { attempt = 1, epoch = '' } = context;
  const attempting = { ...context, attempt, epoch };
  const wanted = jobObjects(rendered, job, attempting, (apiVersion, kind) =>
    scopes.get(`${apiVersion}/${kind}`),
  );
  for (const object of wanted) tellSecretsOf(object, context.onSecretValue);
  const jobs = wanted.filter(isJob);
  const others = applyGroups(wanted.filter((object) => !isJob(object))).flat();
  const leftovers = await clearLeftovers(jobs, context, call);
  if (leftovers.kind === 'Ending') return obstructed(leftovers.job);
  if (leftovers.kind === 'GoOn') {
    const begun = leftovers.jobs.map(madeOf);
    const made = [...leftovers.jobs.flatMap(readMade), ...begun];
    return { kind: 'Await', awaited: { kind: 'Jobs', jobs: begun, made } };
  }
  const obstacle = await clearPlaces(jobs, client, call);
  if (obstacle !== undefined) return obstructed(obstacle);
  return await createAll(others, jobs, context, call);
}

async function createAll(
  others: readonly KubernetesObject[],
  jobs: readonly KubernetesObject[],
  context: ActionContext,
  call: CallOptions,
): Promise<Attempt> {
  const made: MadeObject[] = [];
  try {
    for (const object of [...others, ...jobs]) {
      call.signal.throwIfAborted();
      const along = made.slice(0, others.length);
      const noted = isJob(object) ? withMade(object, along) : object;
      const outcome = await create(noted, context.client, call);
      if (outcome.kind === 'Obstacle') {
        await cleanUp(context, made);
        return obstructed(outcome.object);
      }
      made.push(outcome.made);
    }
  } catch (error) {
    const over = isOver(error, call.signal);
    if (over) await cleanUp(context, made);
    throw call.signal.aborted && !over ? new AbandonedAttempt(made, error) : error;
  }
  const awaited = { kind: 'Jobs', jobs: made.slice(others.length), made } as const;
  return { kind: 'Await', awaited };
}

/**
 * Whether nobody goes on with what an attempt has made: the server has refused something, or the time
 * of the action is over. A server that does not answer is asked again, and a process that ends has a
 * successor.
 */
function isOver(error: unknown, signal: AbortSignal): boolean {
  if (signal.aborted) return isTimeout(signal.reason);
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApiError) return cause.code < 500 && ![408, 429].includes(cause.code);
  }
  return error instanceof TerminalError || error instanceof DeniedError;
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof Error && reason.name === 'TimeoutError';
}

/**
 * The bounds of a request that ends by itself alone: of a create that is cut off nobody knows whether
 * the object will be there.
 */
function toTheEnd({ timeout }: CallOptions): CallOptions {
  const { signal } = new AbortController();
  return timeout === undefined ? { signal } : { signal, timeout };
}

type Created =
  | { readonly kind: 'There'; readonly made: MadeObject }
  /** Of an earlier attempt, and on its way out. */
  | { readonly kind: 'Obstacle'; readonly object: KubernetesObject };

async function create(
  object: KubernetesObject,
  client: ActionContext['client'],
  call: CallOptions,
): Promise<Created> {
  const reference = referenceTo(object);
  try {
    const created = await client.create(object, { fieldManager }, toTheEnd(call));
    return { kind: 'There', made: madeOf(created) };
  } catch (error) {
    if (!isAlreadyExists(error)) throw objectError('create', reference, error);
  }
  const live = await client.find(reference, call).catch((error: unknown) => {
    throw objectError('get', reference, error);
  });
  if (live === undefined) {
    throw new RetryableError(`${describeObject(object)} went away while it was looked at`);
  }
  const free = await clearPlace(live, object, client, call);
  return free === 'Ours' ? { kind: 'There', made: madeOf(live) } : { kind: 'Obstacle', object };
}

/** What stands where the Jobs are to be and cannot be gone on with; undefined when nothing does. */
async function clearPlaces(
  jobs: readonly KubernetesObject[],
  client: ActionContext['client'],
  call: CallOptions,
): Promise<KubernetesObject | undefined> {
  let obstacle: KubernetesObject | undefined;
  for (const job of jobs) {
    const reference = referenceTo(job);
    const live = await client.find(reference, call).catch((error: unknown) => {
      // Who may not read what he creates is told so when that matters.
      if (isForbidden(error)) return undefined;
      throw objectError('get', reference, error);
    });
    if (live === undefined) continue;
    if ((await clearPlace(live, job, client, call)) === 'Obstacle') obstacle ??= job;
  }
  return obstacle;
}

/** @throws TerminalError for an object that the action has not made. */
async function clearPlace(
  live: KubernetesObject,
  wanted: KubernetesObject,
  client: ActionContext['client'],
  call: CallOptions,
): Promise<'Ours' | 'Obstacle'> {
  switch (standingOf(live, wanted)) {
    case 'Ours':
      return 'Ours';
    case 'Leaving':
      return 'Obstacle';
    case 'Stale':
      await remove(madeOf(live), 'Background', client, call).catch((error: unknown) => {
        throw objectError('delete', referenceTo(live), error);
      });
      return 'Obstacle';
    case 'Foreign':
      throw new TerminalError(
        `${describeObject(live)} exists already and was not made by this action; delete it, or ` +
          'rename what is in the artifact',
        { reason: 'StageFailed', object: referenceTo(live) },
      );
  }
}

function madeOf(object: KubernetesObject): MadeObject {
  return { ...referenceTo(object), uid: object.metadata.uid ?? '' };
}

function obstructed(object: KubernetesObject): Attempt {
  return {
    kind: 'Obstructed',
    message: `${describeObject(object)} of an earlier attempt is in the way and about to be gone`,
  };
}
