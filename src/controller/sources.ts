import { groupOf } from '../core/objects/identity.ts';
import {
  chooseProduced,
  observeSource,
  type SourceRoute,
  sourceRoute,
} from '../core/objects/source-artifact.ts';
import type { SourceObservation } from '../core/snapshot.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { Reflector, type ReflectorEvent, type ReflectorTrouble } from '../kubernetes/reflector.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject, ObjectReference } from '../types/kubernetes.ts';
import type { StageSet } from '../types/stages.ts';
import { failureOf, isInterruption } from './failure.ts';

export type Placeholder = [
  typeof chooseProduced,
  typeof observeSource,
  SourceRoute,
  typeof sourceRoute,
  typeof groupOf,
  SourceObservation,
  KubernetesClient,
  Reflector,
  ReflectorEvent,
  ReflectorTrouble,
  CallOptions,
  KubernetesObject,
  ObjectReference,
  StageSet,
  typeof failureOf,
  typeof isInterruption,
];
