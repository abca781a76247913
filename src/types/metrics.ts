import type { ActionScope } from './stages.ts';

/** The StageSet that a series belongs to. */
export interface StageSetName {
  readonly namespace: string;
  readonly name: string;
}

/** How a reconcile ended, in controller-runtime's words. */
export type ReconcileResult = 'success' | 'error' | 'requeue' | 'requeue_after';

/** Why a finalizer was dropped by force (part A 2.10). */
type ForceDropReason = 'timed_out' | 'permanent' | 'unauthorized';

/**
 * Told by a work queue what happens to its keys; the observer does the counting and the timing.
 * A key that is added while it is being worked on counts as queued, as in client-go.
 */
export interface WorkQueueObserver {
  /** The key entered the queue. Call it only when it was not already in there. */
  added(key: string): void;
  /** A worker took the key. */
  started(key: string): void;
  /** The worker is done with the key, well or not. */
  finished(key: string): void;
  /** The key will be added again after a backoff. */
  retried(key: string): void;
}

/** What the controller reports (part B 9.1). */
export interface ControllerMetrics {
  readonly queue: WorkQueueObserver;
  /** How many reconciles may run at once. */
  setWorkers(count: number): void;
  reconcileStarted(): void;
  reconcileFinished(result: ReconcileResult, seconds: number): void;
  /** Once for every reconcile, with the reason that Ready has at its end. */
  reconciled(stageSet: StageSetName, reason: string): void;
  /** The stage passed apply, verify and post-actions. */
  stageApplied(stageSet: StageSetName, stage: string): void;
  setStageReadiness(stageSet: StageSetName, stage: string, readiness: 'Ready' | 'NotReady'): void;
  /** Whether promotion gates hold a stage that is applied and healthy, and whether one blocks it. */
  setStagePromotion(
    stageSet: StageSetName,
    stage: string,
    promotion: 'Pending' | 'Blocked' | 'Passed',
  ): void;
  /** Update windows began to hold a delivery. */
  updateDeferred(stageSet: StageSetName): void;
  /** What remains of the run's error budget, as last read; undefined ends the series. */
  setBudgetRemaining(stageSet: StageSetName, remaining: number | undefined): void;
  /**
   * Whether an error budget holds, of a stage or, without one, of the run. A freeze that is only
   * recorded holds nothing. Undefined ends the series.
   */
  setBudgetFrozen(
    stageSet: StageSetName,
    stage: string | undefined,
    frozen: 'Frozen' | 'Thawed' | undefined,
  ): void;
  /** The metric source of any gate was read in vain. */
  metricSourceUnreadable(stageSet: StageSetName): void;
  /** `objects` were created or configured although the revision had not changed. */
  driftCorrected(stageSet: StageSetName, stage: string, objects: number): void;
  /** A pre or post action was executed, well or not; one that was skipped was not. */
  actionRun(stageSet: StageSetName, scope: ActionScope): void;
  /** A StageSet that had done nothing yet found that Lifetime actions of it are done. */
  ledgerAdopted(stageSet: StageSetName): void;
  /** The witness of a completion could not be read. */
  ledgerAnchorUnreadable(stageSet: StageSetName): void;
  inventoryEntriesSkipped(stageSet: StageSetName, stage: string, entries: number): void;
  /** Once for each real drop, after the finalizer is gone. */
  teardownForced(stageSet: StageSetName, reason: ForceDropReason): void;
  /** How many watches on applied objects there are. */
  setOwnedWatches(count: number): void;
  /** A dynamic watch of a source's kind failed; `gvk` as `group/version/Kind`. */
  watchFailed(gvk: string): void;
  /** The stage left the spec: its series end. */
  forgetStage(stageSet: StageSetName, stage: string): void;
  /** The StageSet is gone: its series end, but for the force-drop counter, which alerts need. */
  forgetStageSet(stageSet: StageSetName): void;
}

/** What a client of an API server reports. */
export interface ClientMetrics {
  /** One attempt ended: `code` is the HTTP status, or `<error>` when there was no answer. */
  requestEnded(request: { method: string; code: string; host: string }): void;
}
