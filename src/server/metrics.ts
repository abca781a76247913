import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type {
  ClientMetrics,
  ControllerMetrics,
  ReconcileResult,
  StageSetName,
  WorkQueueObserver,
} from '../types/metrics.ts';
import { BoundedLabel } from './bounded-label.ts';
import { observeWorkQueue, type Stopwatch } from './queue-metrics.ts';
import { StageSetSeries } from './stageset-series.ts';

/** The value of `controller` and `name` that dashboards and alerts expect (part B 9.1). */
const controllerName = 'stageset';
const controllerLabel = { controller: controllerName };
const results: readonly ReconcileResult[] = ['success', 'error', 'requeue', 'requeue_after'];

/** As controller-runtime sets them. */
const reconcileBuckets = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1,
  1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];

/** All series of the process, and the two sides that move them. */
export interface Metrics {
  readonly registry: Registry;
  readonly controller: ControllerMetrics;
  readonly client: ClientMetrics;
  readonly certificates: CertificateMetrics;
}

/** What is told of serving certificates. */
interface CertificateMetrics {
  renewalFailed(): void;
}

/** A registry with every series of part B 9.1 that this build moves; names are wire contract. */
export function createMetrics(stopwatch: Stopwatch): Metrics {
  const registry = new Registry();
  return {
    registry,
    controller: controllerMetrics(registry, observeWorkQueue(registry, controllerName, stopwatch)),
    client: clientMetrics(registry),
    certificates: certificateMetrics(registry),
  };
}

function certificateMetrics(registry: Registry): CertificateMetrics {
  const failures = new Counter({
    name: 'stageset_webhook_cert_renewal_failures_total',
    help: 'Renewals of the serving certificate that failed.',
    registers: [registry],
  });
  return { renewalFailed: () => failures.inc() };
}

/**
 * Milliseconds between two looks at the event loop. At prom-client's 10 they would be most of what an
 * idle controller costs; a delay that matters is longer than this.
 */
const eventLoopMonitoringPrecision = 50;

/** Adds CPU, memory, file descriptors, garbage collection and event loop delay of this process. */
export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision });
}

function controllerMetrics(registry: Registry, queue: WorkQueueObserver): ControllerMetrics {
  const reconciles = reconcileSeries(registry);
  const series = new StageSetSeries(registry);
  const { forceDrops, watchFailures } = failureSeries(registry);
  const ownedWatches = new Gauge({
    name: 'stageset_owned_watches',
    help: 'Watches on applied objects.',
    registers: [registry],
  });
  const gvks = new BoundedLabel(500);

  const reconciled = series.counter({
    name: 'stageset_reconcile_total',
    help: 'Reconciles, by the reason of Ready at their end.',
    stageSetLabel: 'name',
    further: ['reason'],
  });
  const applied = series.counter({
    name: 'stageset_stage_applied_total',
    help: 'Times that a stage passed apply, verify and post-actions.',
    stageSetLabel: 'name',
    further: ['stage'],
  });
  const deferrals = series.counter({
    name: 'stageset_update_deferred_total',
    help: 'Times that update windows began to hold a delivery.',
    stageSetLabel: 'name',
    further: [],
  });
  const drift = series.counter({
    name: 'stageset_drift_corrected_total',
    help: 'Objects created or configured by an apply at an unchanged revision.',
    stageSetLabel: 'name',
    further: ['stage'],
  });
  const ready = series.gauge({
    name: 'stageset_stage_ready',
    help: '1 while the stage is Ready, else 0.',
    stageSetLabel: 'stageset',
    further: ['stage'],
  });
  const promotionPending = series.gauge({
    name: 'stageset_stage_promotion_pending',
    help: '1 while promotion gates hold the stage, else 0.',
    stageSetLabel: 'stageset',
    further: ['stage'],
  });
  const promotionBlocked = series.gauge({
    name: 'stageset_stage_promotion_blocked',
    help: '1 while restarts, events or metrics block the promotion of the stage, else 0.',
    stageSetLabel: 'stageset',
    further: ['stage'],
  });
  const budgetRemaining = series.gauge({
    name: 'stageset_budget_remaining',
    help: 'What remains of the error budget of the StageSet, as last read.',
    stageSetLabel: 'name',
    further: [],
  });
  const budgetFrozen = series.gauge({
    name: 'stageset_budget_frozen',
    help: '1 while the error budget of the StageSet holds new revisions, else 0.',
    stageSetLabel: 'name',
    further: [],
  });
  const stageBudgetFrozen = series.gauge({
    name: 'stageset_stage_budget_frozen',
    help: '1 while the error budget of the stage holds it, else 0.',
    stageSetLabel: 'stageset',
    further: ['stage'],
  });
  const sourceErrors = series.counter({
    name: 'stageset_metric_source_errors_total',
    help: 'Readings of metric sources of gates that yielded no number.',
    stageSetLabel: 'name',
    further: [],
  });
  const actionRuns = series.counter({
    name: 'stageset_action_runs_total',
    help: 'Executed pre and post actions, by their scope.',
    stageSetLabel: 'name',
    further: ['scope'],
  });
  const adoptions = series.counter({
    name: 'stageset_ledger_adoptions_total',
    help: 'Times that a new StageSet found Lifetime actions recorded as done.',
    stageSetLabel: 'name',
    further: [],
  });
  const anchorErrors = series.counter({
    name: 'stageset_ledger_anchor_errors_total',
    help: 'Completion anchors that could not be read.',
    stageSetLabel: 'name',
    further: [],
  });
  const skipped = series.counter({
    name: 'stageset_inventory_skipped_entries_total',
    help: 'Malformed entries of inventories that were passed over.',
    stageSetLabel: 'stageset',
    further: ['stage'],
  });

  return {
    queue,
    ...reconciles,
    reconciled: (stageSet, reason) => reconciled(stageSet, { reason }, 1),
    stageApplied: (stageSet, stage) => applied(stageSet, { stage }, 1),
    setStageReadiness: (stageSet, stage, readiness) =>
      ready(stageSet, { stage }, readiness === 'Ready' ? 1 : 0),
    setStagePromotion: (stageSet, stage, promotion) => {
      promotionPending(stageSet, { stage }, promotion === 'Passed' ? 0 : 1);
      promotionBlocked(stageSet, { stage }, promotion === 'Blocked' ? 1 : 0);
    },
    updateDeferred: (stageSet) => deferrals(stageSet, {}, 1),
    setBudgetRemaining: (stageSet, remaining) => budgetRemaining(stageSet, {}, remaining),
    setBudgetFrozen: (stageSet, stage, frozen) => {
      const value = frozen === undefined ? undefined : Number(frozen === 'Frozen');
      if (stage === undefined) budgetFrozen(stageSet, {}, value);
      else stageBudgetFrozen(stageSet, { stage }, value);
    },
    metricSourceUnreadable: (stageSet) => sourceErrors(stageSet, {}, 1),
    driftCorrected: (stageSet, stage, objects) => drift(stageSet, { stage }, objects),
    actionRun: (stageSet, scope) => actionRuns(stageSet, { scope }, 1),
    ledgerAdopted: (stageSet) => adoptions(stageSet, {}, 1),
    ledgerAnchorUnreadable: (stageSet) => anchorErrors(stageSet, {}, 1),
    inventoryEntriesSkipped: (stageSet, stage, entries) => skipped(stageSet, { stage }, entries),
    teardownForced: ({ namespace, name }: StageSetName, reason) =>
      forceDrops.inc({ namespace, name, reason }),
    setOwnedWatches: (count) => ownedWatches.set(count),
    watchFailed: (gvk) => watchFailures.inc({ gvk: gvks.valueOf(gvk) }),
    forgetStage: (stageSet, stage) => series.forgetStage(stageSet, stage),
    forgetStageSet: (stageSet) => series.forgetStageSet(stageSet),
  };
}

function reconcileSeries(
  registry: Registry,
): Pick<ControllerMetrics, 'setWorkers' | 'reconcileStarted' | 'reconcileFinished'> {
  const registers = [registry];
  const total = new Counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Reconciles, by how they ended.',
    labelNames: ['controller', 'result'],
    registers,
  });
  const errors = new Counter({
    name: 'controller_runtime_reconcile_errors_total',
    help: 'Reconciles that ended with an error.',
    labelNames: ['controller'],
    registers,
  });
  const time = new Histogram({
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'Duration of one reconcile.',
    labelNames: ['controller'],
    buckets: reconcileBuckets,
    registers,
  });
  const workers = new Gauge({
    name: 'controller_runtime_max_concurrent_reconciles',
    help: 'Reconciles that may run at once.',
    labelNames: ['controller'],
    registers,
  });
  const active = new Gauge({
    name: 'controller_runtime_active_workers',
    help: 'Reconciles that run now.',
    labelNames: ['controller'],
    registers,
  });
  // From zero on, so that a rate sees the first one.
  for (const result of results) total.inc({ ...controllerLabel, result }, 0);
  errors.inc(controllerLabel, 0);
  time.zero(controllerLabel);
  active.set(controllerLabel, 0);
  return {
    setWorkers: (count) => workers.set(controllerLabel, count),
    reconcileStarted: () => active.inc(controllerLabel),
    reconcileFinished: (result, seconds) => {
      active.dec(controllerLabel);
      total.inc({ ...controllerLabel, result });
      if (result === 'error') errors.inc(controllerLabel);
      time.observe(controllerLabel, seconds);
    },
  };
}

function failureSeries(registry: Registry): { forceDrops: Counter; watchFailures: Counter } {
  return {
    forceDrops: new Counter({
      name: 'stageset_teardown_force_drop_total',
      help: 'Finalizers dropped although objects may be left.',
      labelNames: ['namespace', 'name', 'reason'],
      registers: [registry],
    }),
    watchFailures: new Counter({
      name: 'stageset_watch_engagement_failures_total',
      help: "Failures to watch the kind of a StageSet's source.",
      labelNames: ['gvk'],
      registers: [registry],
    }),
  };
}

function clientMetrics(registry: Registry): ClientMetrics {
  const requests = new Counter({
    name: 'rest_client_requests_total',
    help: 'Requests to API servers, by status, method and host.',
    labelNames: ['code', 'method', 'host'],
    registers: [registry],
  });
  // A tenant's kubeconfig can name any host.
  const hosts = new BoundedLabel(200);
  return {
    requestEnded: ({ code, method, host }) =>
      requests.inc({ code, method, host: hosts.valueOf(host) }),
  };
}
