import { type Duration, milliseconds } from '../core/time.ts';

/** A source of uniform numbers in [0, 1), injected so that tests can state exact delays. */
export type Random = () => number;

export interface BackoffPolicy {
  /** Delay before the first repeat, milliseconds. */
  base: Duration;
  /** No delay is longer, milliseconds. */
  cap: Duration;
  /** Share of the delay that is random, 0..1: 0.5 gives 50 % to 100 % of the exponential delay. */
  jitter: number;
}

/** Repeats of a list or watch, as client-go's reflector spaces them: 0.8 s to 30 s. */
export const REFLECTOR_BACKOFF: BackoffPolicy = {
  base: milliseconds(800),
  cap: milliseconds(30_000),
  jitter: 0.5,
};

/** Repeats of one request inside its deadline. */
export const REQUEST_BACKOFF: BackoffPolicy = {
  base: milliseconds(100),
  cap: milliseconds(5_000),
  jitter: 0.5,
};

/** Repeats of a failing work item; the cap of about 1000 s is from part A 2.9. */
export const WORK_BACKOFF: BackoffPolicy = {
  base: milliseconds(200),
  cap: milliseconds(1_000_000),
  jitter: 0.2,
};

/**
 * The delay before repeat number `failures` (1 for the first repeat): `base * 2^(failures-1)` up to
 * `cap`, of which the share `jitter` is random so that many clients do not come back together.
 */
export function backoffDelay(policy: BackoffPolicy, failures: number, random: Random): Duration {
  const exponent = Math.min(Math.max(failures, 1) - 1, 50);
  const full = Math.min(policy.cap, policy.base * 2 ** exponent);
  return milliseconds(Math.round(full * (1 - policy.jitter * random())));
}
