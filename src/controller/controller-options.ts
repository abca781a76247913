import type { HttpCaller } from '../actions/verbs.ts';
import type { RunSettings } from '../core/settings.ts';
import type { Clock } from '../core/time.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { Logger } from '../types/log.ts';
import type { ControllerMetrics } from '../types/metrics.ts';
import type { RemoteAccess } from './clusters.ts';
import type { LadderRules } from './find-ladder.ts';
import type { GateReaders } from './gate-answers.ts';
import type { BuildSteps } from './prepare-stage.ts';

export interface ControllerOptions {
  readonly client: KubernetesClient;
  readonly builder: BuildSteps;
  readonly remote: RemoteAccess;
  /** Makes the requests of `http` actions. */
  readonly http: HttpCaller;
  /** Find out what gates must know. */
  readonly readers: GateReaders;
  readonly ladders: LadderRules;
  readonly settings: RunSettings;
  readonly watchNamespaces: readonly string[];
  readonly crossNamespaceReferences: 'Allowed' | 'Refused';
  /** What StageSets act as that name no ServiceAccount; undefined: as the controller. */
  readonly defaultServiceAccount: string | undefined;
  readonly inventoryShardCap: number;
  /** Whether applied objects are watched. */
  readonly driftWatch: 'On' | 'Off';
  readonly runbookBase: string;
  /** Name of this process in events. */
  readonly instance: string;
  readonly metrics: ControllerMetrics;
  readonly logger: Logger;
  readonly clock: Clock;
}
