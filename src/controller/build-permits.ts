import { clusterReferenceOf } from '../core/clusters/cluster-reference.ts';
import { InFlightLimit } from '../kubernetes/in-flight-limit.ts';
import type { StageSet } from '../types/stages.ts';

/** Of the StageSets of one namespace that are for remote clusters. */
const mostRemote = 2;

/**
 * How many stages are built at the same time: so many in all for the local cluster. A build asks its
 * target what it serves, and the answers of a remote cluster may be in a tenant's hands: those for
 * remote clusters are counted for each namespace by itself, and take up nobody else's turn.
 */
export class BuildPermits {
  readonly #local: InFlightLimit;
  readonly #remote = new Map<string, InFlightLimit>();

  constructor(most: number) {
    this.#local = new InFlightLimit(most);
  }

  of({ metadata, spec }: StageSet): InFlightLimit {
    if (clusterReferenceOf(spec) === undefined) return this.#local;
    for (const [namespace, { active, waiting }] of this.#remote) {
      if (active === 0 && waiting === 0) this.#remote.delete(namespace);
    }
    const { namespace = '' } = metadata;
    const permits = this.#remote.get(namespace) ?? new InFlightLimit(mostRemote);
    this.#remote.set(namespace, permits);
    return permits;
  }
}
