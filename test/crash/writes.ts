import { isWrite, type SeenRequest } from '../faults/faults.ts';

/** What does not change the world that a StageSet describes. */
const besides = /\/(leases|events|tokenreviews|selfsubjectaccessreviews)(\/|\?|$)|\/token(\?|$)/;

/** Whether a request changes something of a namespace, or something cluster-wide that bears its name. */
export function changes(namespace: string): (seen: SeenRequest) => boolean {
  const ofIt = new RegExp(`/${namespace}([/?]|$)`);
  return (seen) =>
    isWrite(seen) &&
    ofIt.test(seen.url) &&
    !/[?&]dryRun=/.test(seen.url) &&
    !besides.test(seen.url);
}

/** The n-th request that matches, n from 1. It counts, so ask it once for each request. */
export function nth(
  n: number,
  matches: (seen: SeenRequest) => boolean,
): (seen: SeenRequest) => boolean {
  let count = 0;
  return (seen) => {
    if (!matches(seen)) return false;
    count += 1;
    return count === n;
  };
}

/** A write in short: `PATCH stagesets/shop/status`. */
export function nameOf({ method, url }: SeenRequest): string {
  const path = (url.split('?')[0] ?? '').replace(/^\/(api|apis\/[^/]+)\/[^/]+\//, '');
  return `${method} ${path.replace(/^namespaces\/[^/]+\//, '')}`;
}

/**
 * Which deletions count: every one that the API server answered, or only those that found something.
 * A repeat after a lost answer names the uid, so it finds nothing and is answered with 404.
 */
export type Counted = 'Answered' | 'Effective';

/** How often each object was deleted, by `configmaps/moved`. */
export function deletionsAmong(
  requests: readonly SeenRequest[],
  namespace: string,
  counted: Counted,
): Map<string, number> {
  const isChange = changes(namespace);
  const counts = new Map<string, number>();
  for (const seen of requests) {
    // What the server never answered was cut off before it got there.
    if (seen.method !== 'DELETE' || seen.status === undefined || !isChange(seen)) continue;
    if (counted === 'Effective' && seen.status === 404) continue;
    const what = nameOf(seen).slice('DELETE '.length);
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return counts;
}
