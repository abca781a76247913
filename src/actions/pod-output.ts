import {
  type FailedContainer,
  failedContainerOf,
  lastLines,
  plainLine,
  quotedBytes,
  quotedLines,
} from '../core/actions/job-output.ts';
import { oneLine } from '../core/health/one-line.ts';
import { seconds } from '../core/time.ts';
import { isForbidden } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';

/** What a failure has to say must not keep it from being told. */
const readBound = seconds(5);

/** Pods of one Job that are looked at. */
const mostPods = 100;

/** Newer clusters set both, older ones the second only. */
const jobNameLabels = ['batch.kubernetes.io/job-name', 'job-name'];

/**
 * How the pod of a failed Job ended, and the last of its output: at most ten lines and 2 KiB. What
 * cannot be read is left out, and what the tenant may not read is named; empty when nothing is known.
 */
export async function outputOfFailed(
  job: KubernetesObject,
  client: KubernetesClient,
  signal: AbortSignal,
): Promise<string> {
  const call = { signal, timeout: readBound };
  const pods = await readable(podsOf(job, client, call), signal);
  if (pods === 'Denied') return denied('list pods');
  const failed = failedContainerOf(pods ?? [], job.metadata.uid ?? '');
  if (failed === undefined) return '';
  const namespace = job.metadata.namespace ?? '';
  const output = await readable(logOf(namespace, failed, client, call), signal);
  const lines = output === 'Denied' ? '' : lastLines(output ?? '');
  return [
    endOf(failed),
    ...(lines === '' ? [] : [`its last output: ${lines}`]),
    ...(output === 'Denied' ? [denied('get pods/log')] : []),
  ].join('; ');
}

function endOf({ pod, container, exitCode, reason, message }: FailedContainer): string {
  const code = exitCode === undefined ? '' : ` with exit code ${exitCode}`;
  const why = reason === '' ? '' : ` (${plainLine(reason)})`;
  const said = plainLine(message);
  const left = said === '' ? '' : `: ${oneLine(said)}`;
  return `container ${container} of Pod ${pod} ended${code}${why}${left}`;
}

function denied(what: string): string {
  return `the account may not ${what}, so its output is not shown here`;
}

async function podsOf(
  { metadata }: KubernetesObject,
  client: KubernetesClient,
  call: CallOptions,
): Promise<KubernetesObject[]> {
  const { name, namespace = '' } = metadata;
  for (const label of jobNameLabels) {
    const query = { apiVersion: 'v1', kind: 'Pod', namespace, labelSelector: `${label}=${name}` };
    const { items } = await client.page({ ...query, pageSize: mostPods }, call);
    if (items.length > 0) return items;
  }
  return [];
}

async function logOf(
  namespace: string,
  { pod, container }: FailedContainer,
  client: KubernetesClient,
  call: CallOptions,
): Promise<string> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log`;
  const query = { container, tailLines: String(quotedLines), limitBytes: String(quotedBytes) };
  const output = await client.raw({ method: 'GET', path, query, accept: '*/*' }, call);
  // A program that writes JSON is not asked what it means by it.
  return typeof output === 'string' ? output : JSON.stringify(output);
}

/** Undefined for what cannot be read just now: a failure is told without it. */
async function readable<Value>(
  work: Promise<Value>,
  signal: AbortSignal,
): Promise<Value | 'Denied' | undefined> {
  try {
    return await work;
  } catch (error) {
    signal.throwIfAborted();
    return isForbidden(error) ? 'Denied' : undefined;
  }
}
