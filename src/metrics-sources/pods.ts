import { TerminalError } from '../core/errors.ts';
import { selectorText } from '../core/objects/label-selector.ts';
import { isGone } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { Extent } from '../kubernetes/lists.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { LabelSelector } from '../types/stages.ts';

/** Pods of one check; a selector of more means something else than it says. */
const mostPods = 20_000;

/** How often a list is begun anew whose pages take longer than the API server keeps them. */
const mostRestarts = 3;

/** Which pods are looked at, and how much of each. */
export interface PodQuery {
  readonly namespace: string;
  readonly selector: LabelSelector;
  readonly extent: Extent;
}

/**
 * What `read` makes of each pod that matches and is not being deleted: those are on their way out and
 * say nothing about what replaces them. Read page by page from the API server, past every cache.
 *
 * @throws TerminalError for an empty selector and for more than 20,000 pods; else as the client does.
 */
export async function fromPods<Result>(
  client: KubernetesClient,
  query: PodQuery,
  call: CallOptions,
  read: (pod: KubernetesObject) => Result,
): Promise<Result[]> {
  const labelSelector = selectorText(query.selector);
  if (labelSelector === '') {
    throw new TerminalError('the selector of the check is empty: name the labels of its pods');
  }
  return await wholeList(() => readPages(client, { ...query, labelSelector }, call, read));
}

/** What a list that is read page by page says; begun anew when it expires half way. */
export async function wholeList<Result>(read: () => Promise<Result>): Promise<Result> {
  for (let restarts = 0; ; restarts += 1) {
    try {
      return await read();
    } catch (error) {
      if (!isGone(error) || restarts >= mostRestarts) throw error;
    }
  }
}

async function readPages<Result>(
  client: KubernetesClient,
  { namespace, labelSelector, extent }: PodQuery & { readonly labelSelector: string },
  call: CallOptions,
  read: (pod: KubernetesObject) => Result,
): Promise<Result[]> {
  const query = { apiVersion: 'v1', kind: 'Pod', namespace, labelSelector, as: extent };
  const results: Result[] = [];
  for await (const { items } of client.pages(query, call)) {
    for (const pod of items) {
      if (pod.metadata.deletionTimestamp === undefined) results.push(read(pod));
    }
    if (results.length > mostPods) {
      throw new TerminalError(
        `the selector ${labelSelector} matches more than ${mostPods} pods of namespace ${namespace}: narrow it to those of the stage`,
      );
    }
  }
  return results;
}
