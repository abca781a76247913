import type { ActionLook, Awaited, MadeObject } from '../core/actions/attempt.ts';
import { plainLine } from '../core/actions/job-output.ts';
import { endOf } from '../core/actions/job-standing.ts';
import { readObject } from '../core/health/fields.ts';
import { jobHealth } from '../core/health/job.ts';
import { oneLine } from '../core/health/one-line.ts';
import { describeObject, referenceTo } from '../core/objects/identity.ts';
import { seconds } from '../core/time.ts';
import { isForbidden } from '../kubernetes/api-error.ts';
import { objectError } from '../kubernetes/object-error.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { ActionContext } from './action-context.ts';
import { outputOfFailed } from './pod-output.ts';

/** A look that hangs must not be the last one. */
const lookBound = seconds(10);

/** What a look at one Job found. */
type JobLook =
  | { readonly kind: 'Complete' }
  | { readonly kind: 'NotYet'; readonly message: string }
  | { readonly kind: 'Failed'; readonly message: string };

/**
 * Whether the Jobs of an action have ended: done when all are complete, failed as soon as one has
 * failed or is not there any more (part A 7.3). The failure has what the Job's controller says and, as
 * far as the tenant may read that, how the container ended and the end of its output.
 *
 * @throws DeniedError for a Job that the tenant may not read. Any other error means "not yet".
 */
export async function lookAtJobs(
  context: Pick<ActionContext, 'client'>,
  awaited: Extract<Awaited, { kind: 'Jobs' }>,
  { signal }: CallOptions,
): Promise<ActionLook> {
  const waiting: string[] = [];
  for (const job of awaited.jobs) {
    const look = await lookAtJob(context, job, { signal, timeout: lookBound });
    if (look.kind === 'Failed') return { kind: 'Failed', message: look.message };
    if (look.kind === 'NotYet') waiting.push(look.message);
  }
  if (waiting.length === 0) return { kind: 'Done' };
  const more = waiting.length > 1 ? `; and ${waiting.length - 1} more` : '';
  return { kind: 'NotYet', message: `${String(waiting[0])}${more}`, awaited };
}

async function lookAtJob(
  { client }: Pick<ActionContext, 'client'>,
  job: MadeObject,
  call: CallOptions,
): Promise<JobLook> {
  const name = describeObject(job);
  let live: KubernetesObject | undefined;
  try {
    live = await client.find(referenceTo(job), call);
  } catch (error) {
    call.signal.throwIfAborted();
    if (isForbidden(error)) throw objectError('get', referenceTo(job), error);
    return { kind: 'NotYet', message: `${name} could not be read: ${oneLine(messageOf(error))}` };
  }
  if (live?.metadata.uid !== job.uid) {
    const message = `${name} was deleted before it was seen to end, so nobody knows whether it is done`;
    return { kind: 'Failed', message };
  }
  const end = endOf(live);
  if (end?.kind === 'Complete') return end;
  if (end === undefined) return { kind: 'NotYet', message: `${name}: ${progressOf(live)}` };
  const said = [end.reason, end.message].map(plainLine).filter((part) => part !== '');
  const why = said.length === 0 ? '' : `: ${oneLine(said.join(': '))}`;
  const output = await outputOfFailed(live, client, call.signal);
  return { kind: 'Failed', message: `${name} failed${why}${output === '' ? '' : `; ${output}`}` };
}

function progressOf(job: KubernetesObject): string {
  if (job.metadata.deletionTimestamp !== undefined) return 'being deleted';
  const read = readObject(job);
  return read === undefined ? 'its status cannot be read' : jobHealth(read).message;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
