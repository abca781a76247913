import type { Duration } from './time.ts';

/** Flags of the controller that change decisions. */
export interface RunSettings {
  readonly defaultInterval: Duration;
  readonly maxTeardownWait: Duration;
}
