import type { ObjectHealth } from './object-health.ts';
import type { ReportedHealth } from './summary.ts';

/** Health of an object that was applied, as last seen. */
export interface AwaitedHealth extends ReportedHealth {
  /** What it means when the object is not there: a Job may have removed itself when it was done. */
  readonly ifMissing: ObjectHealth;
  /** Set for an object of `readyChecks.checks`: its namespace is settled once its kind is served. */
  readonly origin?: 'Check';
}
