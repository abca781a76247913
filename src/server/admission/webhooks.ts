import { defaultStageInventory } from '../../core/admission/default-stage-inventory.ts';
import {
  defaultStageSet,
  type NamespaceAnnotations,
  needsNamespace,
} from '../../core/admission/default-stage-set.ts';
import type { Mutation } from '../../core/admission/json-patch.ts';
import type { AdmissionSettings } from '../../core/admission/settings.ts';
import { validateStageInventory, validateStageRun } from '../../core/admission/validate-record.ts';
import { validateStageSet } from '../../core/admission/validate-stage-set.ts';
import type { Verdict } from '../../core/admission/verdict.ts';
import type { AdmissionRequest } from '../../types/generated/admission.k8s.io.v1.ts';

/** One webhook: which objects it is asked about, and who decides. */
export type Webhook = MutatingWebhook | ValidatingWebhook;

interface Asked {
  readonly path: string;
  readonly kind: 'StageSet' | 'StageInventory' | 'StageRun';
  /** Plural. */
  readonly resource: string;
}

export interface MutatingWebhook extends Asked {
  readonly webhook: 'mutate';
  /** Whether the namespace must be known to decide. */
  readonly needsNamespace: (request: AdmissionRequest) => boolean;
  readonly decide: (
    request: AdmissionRequest,
    settings: AdmissionSettings,
    namespace: NamespaceAnnotations,
  ) => Mutation;
}

interface ValidatingWebhook extends Asked {
  readonly webhook: 'validate';
  readonly decide: (request: AdmissionRequest, settings: AdmissionSettings) => Verdict;
}

export const webhooks: readonly Webhook[] = [
  {
    webhook: 'mutate',
    path: '/mutate-stages-metio-wtf-v1-stageset',
    kind: 'StageSet',
    resource: 'stagesets',
    needsNamespace,
    decide: defaultStageSet,
  },
  {
    webhook: 'validate',
    path: '/validate-stages-metio-wtf-v1-stageset',
    kind: 'StageSet',
    resource: 'stagesets',
    decide: validateStageSet,
  },
  {
    webhook: 'mutate',
    path: '/mutate-stages-metio-wtf-v1-stageinventory',
    kind: 'StageInventory',
    resource: 'stageinventories',
    needsNamespace: () => false,
    decide: defaultStageInventory,
  },
  {
    webhook: 'validate',
    path: '/validate-stages-metio-wtf-v1-stageinventory',
    kind: 'StageInventory',
    resource: 'stageinventories',
    decide: validateStageInventory,
  },
  {
    webhook: 'validate',
    path: '/validate-stages-metio-wtf-v1-stagerun',
    kind: 'StageRun',
    resource: 'stageruns',
    decide: validateStageRun,
  },
];
