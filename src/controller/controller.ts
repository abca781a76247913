import { AppliedMemory } from '../apply/applied-memory.ts';
import type { RunSettings } from '../core/snapshot.ts';
import { between, type Clock, milliseconds } from '../core/time.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { EventRecorder } from '../kubernetes/events.ts';
import { Reflector, type ReflectorTrouble } from '../kubernetes/reflector.ts';
import { TokenStore } from '../kubernetes/tokens.ts';
import { WorkQueue } from '../kubernetes/work-queue.ts';
import { runWorkers, type WorkResult } from '../kubernetes/workers.ts';
import type { Logger } from '../types/log.ts';
import type { ControllerMetrics } from '../types/metrics.ts';
import { stagesApiVersion } from '../types/stages.ts';
import { isInterruption } from './failure.ts';
import { InventoryStore } from './inventory-store.ts';
import type { BuildStage } from './prepare-stage.ts';
import { Reconciler } from './reconciler.ts';
import { Reporter } from './reporter.ts';
import { Sources } from './sources.ts';
import { StageEffects } from './stage-effects.ts';
import { StageSets } from './stage-sets.ts';
import { StatusWriter } from './status-writer.ts';
import { TeardownEffects } from './teardown-effects.ts';
import { Tenants } from './tenants.ts';

/** Reconciles at once; waits hold none of them (part A 2.1). */
const workers = 4;

export interface ControllerOptions {
  readonly client: KubernetesClient;
  readonly build: BuildStage;
  readonly settings: RunSettings;
  readonly watchNamespaces: readonly string[];
  readonly crossNamespaceReferences: 'Allowed' | 'Refused';
  readonly inventoryShardCap: number;
  readonly runbookBase: string;
  /** Name of this process in events. */
  readonly instance: string;
  readonly metrics: ControllerMetrics;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Wires the reflectors to the queue and the queue to the reconciler. */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #queue: WorkQueue;
  readonly #stageSets: StageSets;
  readonly #sources: Sources;
  readonly #inventoryReflectors: readonly Reflector[];
  readonly #events: EventRecorder;
  readonly #reconciler: Reconciler;
  readonly #inventoryTroubles = new Map<string, ReflectorTrouble>();

  constructor(options: ControllerOptions) {
    this.#options = options;
    const { client, metrics, logger } = options;
    this.#queue = new WorkQueue({ observer: metrics.queue });
    this.#sources = new Sources({
      client,
      crossNamespaceReferences: options.crossNamespaceReferences,
      onNews: (keys) => this.#wakeNaming(keys),
      onTrouble: (kind, trouble) => this.#sourceTrouble(kind, trouble),
    });
    this.#stageSets = new StageSets(client, {
      namespaces: options.watchNamespaces,
      sourceKeysOf: (stageSet) => this.#sources.keysOf(stageSet),
      onNews: (key) => this.#queue.add(key),
      onTrouble: (trouble) => this.#trouble('StageSet', trouble),
    });
    this.#inventoryReflectors = this.#followInventories();
    this.#events = new EventRecorder(client, {
      controller: 'stageset-controller',
      instance: options.instance,
    });
    const reporter = new Reporter(this.#events, metrics, logger);
    this.#reconciler = this.#makeReconciler(reporter);
  }
}
