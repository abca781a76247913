import { actionLabels } from '../core/actions/action-marks.ts';
import { endOf } from '../core/actions/job-standing.ts';
import { identityOf, referenceTo } from '../core/objects/identity.ts';
import { isForbidden } from '../kubernetes/api-error.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { ActionContext } from './action-context.ts';
import { remove } from './clean-up.ts';
import { objectError } from './object-error.ts';

/** An action leaves one or two behind at worst; whoever labels more of them by hand waits longer. */
const mostLeftovers = 50;

/**
 * Removes Jobs that the same action made of another revision: the process that waited for them has
 * ended, and two revisions of a Job must not run beside each other. Returns one that still runs. Who
 * may not list Jobs has to do without.
 */
export async function clearLeftovers(
  wanted: readonly KubernetesObject[],
  context: ActionContext,
  call: CallOptions,
): Promise<KubernetesObject | undefined> {
  const names = new Set(wanted.map((job) => identityOf(job)));
  const places = new Set(wanted.map(({ metadata }) => metadata.namespace ?? ''));
  let running: KubernetesObject | undefined;
  for (const namespace of places) {
    for (const job of await listMade(namespace, context, call)) {
      if (names.has(identityOf(job))) continue;
      if (endOf(job) === undefined) running ??= job;
      await removeLeftover(job, context, call);
    }
  }
  return running;
}

async function listMade(
  namespace: string,
  { client, ...context }: ActionContext,
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
