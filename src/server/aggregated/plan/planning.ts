import type {
  StagePlanSpec,
  StagePlanStatus,
} from '../../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { KubernetesObject } from '../../../types/kubernetes.ts';

/** What is asked of a plan. */
export interface PlanRequest {
  /** The stored StageSet, as it was read. */
  readonly object: KubernetesObject;
  readonly suppose: StagePlanSpec;
  /** Only these stages; undefined for all. */
  readonly stages: readonly string[] | undefined;
  readonly dryRun: 'All' | 'None';
  /** Username of whoever asks. */
  readonly user: string;
}

/** Whoever can say what the next run would do. */
export interface Planning {
  plan(request: PlanRequest, call: { readonly signal: AbortSignal }): Promise<StagePlanStatus>;
}
