import {
  type ArtifactOutcome,
  artifactOf,
  chooseProduced,
  type SourceRoute,
  sourceRoute,
} from '../core/objects/source-artifact.ts';
import type { SourceObservation } from '../core/snapshot.ts';
import { isForbidden, isNoKindMatch, treatmentOf } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { Reflector } from '../kubernetes/reflector.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { StageSet } from '../types/stages.ts';
