import type { AwaitedHealth } from '../core/health/awaited.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { Action, JobAction } from '../types/stages.ts';

/** Who does an action, where, and for which stage. */
export interface ActionContext {
  /** Acts as the tenant on the target cluster; all that an action names is read and written by it. */
  readonly client: KubernetesClient;
  readonly stageSet: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly stage: string;
  readonly action: Action;
  /** Revision of the stage, as pinned by the run. */
  readonly revision: string;
  /** The same for each attempt at this action in this run, also after a restart. */
  readonly idempotencyKey: string;
  /** Which attempt it is in this run, from 1, which is what is assumed without it. */
  readonly attempt?: number;
  /** The same until the action has to be done once more: see `epochOf`. Without it, nobody knows. */
  readonly epoch?: string;
  /** Told each value of a Secret that was read, so that no message quotes it. */
  readonly onSecretValue: (value: string) => void;
  /** Told what went wrong on the side and fails no action, such as an object that could not be removed. */
  readonly onTrouble?: (message: string) => void;
  readonly tools: ActionTools;
}

/** What other parts of the controller do for an action; each acts as the action's tenant. */
export interface ActionTools {
  /** Resolves the source, fetches and builds it: no patches, no substitution, no decryption. */
  readonly render: (action: JobAction, call: CallOptions) => Promise<RenderedAction>;
  /** Applies server-side with the owner's labels but without a stage and an inventory. */
  readonly apply: (
    objects: readonly KubernetesObject[],
    call: CallOptions,
  ) => Promise<readonly AwaitedHealth[]>;
  /** Health of the objects as it is now. */
  readonly look: (
    health: readonly AwaitedHealth[],
    call: CallOptions,
  ) => Promise<readonly AwaitedHealth[]>;
  /** Evaluates a CEL expression on an object, in its own thread and bounded. */
  readonly evaluate: (
    expression: string,
    object: KubernetesObject,
    call: CallOptions,
  ) => Promise<boolean>;
}

/** The objects in the artifact of a `job` or `apply` action. */
export interface RenderedAction {
  readonly revision: string;
  readonly objects: readonly KubernetesObject[];
}
