import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { Action, JobAction } from '../types/stages.ts';

/** Who does an action, where, and for which stage. */
export interface ActionContext {
  /** Acts as the tenant on the target cluster; all that an action names is read and written by it. */
  readonly client: KubernetesClient;
  /** Prefix for what is remembered: cluster and identity. */
  readonly scope: string;
  readonly stageSet: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly stage: string;
  readonly action: Action;
  /** Revision of the stage, as pinned by the run. */
  readonly revision: string;
  /** The same for each attempt at this action in this run, also after a restart. */
  readonly idempotencyKey: string;
  /** Told each value of a Secret that was read, so that no message quotes it. */
  readonly onSecretValue: (value: string) => void;
  /** Resolves the source as the tenant, fetches and builds it: no patches, no substitution. */
  readonly render: (action: JobAction, call: CallOptions) => Promise<RenderedAction>;
}

/** The objects in the artifact of a `job` or `apply` action. */
export interface RenderedAction {
  readonly revision: string;
  readonly objects: readonly KubernetesObject[];
}
