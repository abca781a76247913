import { actionLabels, type JobOwner } from '../core/actions/action-marks.ts';
import { endOf, goesOn } from '../core/actions/job-standing.ts';
import { identityOf, referenceTo } from '../core/objects/identity.ts';
import { isForbidden } from '../kubernetes/api-error.ts';
import { objectError } from '../kubernetes/object-error.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { ActionContext } from './action-context.ts';
import { remove } from './clean-up.ts';

/** An action leaves one or two behind at worst; whoever labels more of them by hand waits longer. */
const mostLeftovers = 50;

/** What became of the Jobs that the same action made of other revisions. */
export type Leftovers =
  | { readonly kind: 'Gone' }
  /** One that still runs has been told to end. */
  | { readonly kind: 'Ending'; readonly job: KubernetesObject }
  /** They are what the attempt is about: it had begun before the source changed. */
  | { readonly kind: 'GoOn'; readonly jobs: readonly KubernetesObject[] };

/**
 * Looks for Jobs that the same action made of another revision, and that the process which waited for
 * them has left. What the action had begun before its source changed goes on, so that it is not done
 * twice; all else goes, since two revisions of a Job must not run beside each other. Who may not list
 * Jobs has to do without.
 */
export async function clearLeftovers(
  wanted: readonly KubernetesObject[],
  context: ActionContext,
  call: CallOptions,
): Promise<Leftovers> {
  const names = new Set(wanted.map((job) => identityOf(job)));
  const places = new Set(wanted.map(({ metadata }) => metadata.namespace ?? ''));
  const made: KubernetesObject[] = [];
  for (const namespace of places) made.push(...(await listMade(namespace, context, call)));
  const leftovers = made.filter((job) => !names.has(identityOf(job)));
  const [first] = wanted;
  const begun = leftovers.filter((job) => first !== undefined && goesOn(job, first));
  if (begun.length > 0 && leftovers.length === made.length) return { kind: 'GoOn', jobs: begun };
  for (const job of leftovers) await removeLeftover(job, context, call);
  const running = leftovers.find((job) => endOf(job) === undefined);
  return running === undefined ? { kind: 'Gone' } : { kind: 'Ending', job: running };
}

/** Jobs in a namespace that an action has made; none for who may not list them. */
export async function listMade(
  namespace: string,
  { client, ...context }: JobOwner & Pick<ActionContext, 'client'>,
  call: CallOptions,
): Promise<KubernetesObject[]> {
  const labelSelector = Object.entries(actionLabels(context))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const kind = { apiVersion: 'batch/v1', kind: 'Job' };
  try {
    const query = { ...kind, namespace, labelSelector, pageSize: mostLeftovers };
    return (await client.page(query, call)).items;
  } catch (error) {
    if (isForbidden(error)) return [];
    throw objectError('list', { ...kind, namespace, name: `(${labelSelector})` }, error);
  }
}

/** One that runs keeps its name until its pods have ended. */
async function removeLeftover(
  job: KubernetesObject,
  { client }: ActionContext,
  call: CallOptions,
): Promise<void> {
  const { uid = '', deletionTimestamp } = job.metadata;
  if (deletionTimestamp !== undefined) return;
  const propagation = endOf(job) === undefined ? 'Foreground' : 'Background';
  const reference = referenceTo(job);
  await remove({ ...reference, uid }, propagation, client, call).catch((error: unknown) => {
    throw objectError('delete', reference, error);
  });
}
