import { clusterReferenceOf, describeCluster } from '../core/clusters/cluster-reference.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { StageSet } from '../types/stages.ts';
import type { Clusters } from './clusters.ts';
import { during } from './failure.ts';
import { ownIdentity, type Tenant, type Tenants } from './tenants.ts';

/**
 * Where and as whom a stage is applied, pruned, verified and torn down (part A 9.1): the local cluster
 * as the stage's account, or the remote one that the StageSet names, where the same account is
 * impersonated. Reconciler and planner both ask here. What a spec names besides, and all records, are
 * in the local cluster: see `Tenants`.
 */
export class Targets {
  readonly #tenants: Tenants;
  readonly #clusters: Clusters;

  constructor(tenants: Tenants, clusters: Clusters) {
    this.#tenants = tenants;
    this.#clusters = clusters;
  }

  /**
   * The target of a stage; of the whole StageSet when none is named. A remote cluster is not contacted
   * yet. Without an account anywhere, it is dealt with as the kubeconfig's own identity.
   *
   * @throws OperationError `connect to target cluster`.
   */
  async targetOf(
    stageSet: StageSet,
    stageName: string | undefined,
    call: CallOptions,
  ): Promise<Tenant> {
    const tenant = this.#tenants.tenantOf(stageSet, stageName);
    if (clusterReferenceOf(stageSet.spec) === undefined) return tenant;
    // Part A 9.1: read as the account of the whole StageSet, whatever account the stage has.
    const reader = this.#tenants.tenantOf(stageSet);
    const connecting = this.#clusters.connect(stageSet, reader, call);
    const cluster = await during('connect to target cluster', connecting);
    if (cluster === undefined) return tenant;
    const { client, id, server } = cluster;
    if (tenant.identity === ownIdentity) return { client, identity: `kubeconfig at ${id}`, server };
    const { identity } = tenant;
    return { client: client.impersonating(identity), identity: `${identity} at ${id}`, server };
  }

  /**
   * The target, once a remote cluster has answered: one that does not must not take up what others
   * wait for.
   */
  async readyTargetOf(stageSet: StageSet, stageName: string, call: CallOptions): Promise<Tenant> {
    const target = await this.targetOf(stageSet, stageName, call);
    if (clusterReferenceOf(stageSet.spec) === undefined) return target;
    const answered = target.client.discovery.ready(call);
    await during('connect to target cluster', answered);
    return target;
  }

  /** Who acts on the target, for people. */
  describe(stageSet: StageSet, stageName?: string): string {
    const { identity } = this.#tenants.tenantOf(stageSet, stageName);
    const reference = clusterReferenceOf(stageSet.spec);
    if (reference === undefined) return identity;
    const who = identity === ownIdentity ? 'the identity of the kubeconfig' : identity;
    return `${who} at the cluster of ${describeCluster(stageSet, reference)}`;
  }
}
