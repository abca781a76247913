import { clusterReferenceOf } from '../core/clusters/cluster-reference.ts';
import { FairLimit, type Slots } from '../kubernetes/fair-limit.ts';
import { InFlightLimit } from '../kubernetes/in-flight-limit.ts';
import type { StageSet } from '../types/stages.ts';

/** Of the StageSets of one namespace that are for remote clusters. */
const mostRemote = 2;

/**
 * How many stages are built at the same time: so many in all for the local cluster, shared by
 * namespace. A build asks its target what it serves, and the answers of a remote cluster may be in a tenant's hands: those for
 * remote clusters are counted for each namespace by itself, and take up nobody else's turn.
 */
export class BuildPermits {
  readonly #local: FairLimit;
  readonly #remote = new Map<string, InFlightLimit>();

  constructor(most: number) {
    this.#local = new FairLimit(most, 'ForNewcomers');
  }

  of({ metadata, spec }: StageSet): Slots {
    const { namespace = '' } = metadata;
    if (clusterReferenceOf(spec) === undefined) return this.#local.slotsOf(namespace);
    // Permits are looked up when they are needed: between this and then others come and go, and a
    // namespace whose permits were forgotten meanwhile would have them twice.
    return {
      enter: async (signal) => await this.#remoteOf(namespace).enter(signal),
      leave: () => this.#leaveRemote(namespace),
    };
  }

  #remoteOf(namespace: string): InFlightLimit {
    const permits = this.#remote.get(namespace) ?? new InFlightLimit(mostRemote);
    this.#remote.set(namespace, permits);
    return permits;
  }

  /** A namespace that has no permit, and waits for none, is forgotten. */
  #leaveRemote(namespace: string): void {
    const permits = this.#remote.get(namespace);
    permits?.leave();
    if (permits?.active === 0) this.#remote.delete(namespace);
  }
}
