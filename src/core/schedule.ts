import type { OnTimeout, StageSetSpec } from '../types/stages.ts';
import { formatDuration, positiveDuration } from './duration.ts';
import type { Failure } from './failure.ts';
import { sha256Hex } from './hash.ts';
import type { RunOutcome, RunProgress } from './run.ts';
import type { RunSettings } from './settings.ts';
import { after, type Duration, type Instant, milliseconds, minutes, seconds } from './time.ts';

/** Steady cadence: `spec.interval`, else `--default-interval` (part A 1.1). */
export function intervalOf(spec: StageSetSpec, settings: RunSettings): Duration {
  return cadenceOf(spec.interval) ?? settings.defaultInterval;
}

/** No tenant can keep a worker busy by an interval of a nanosecond. */
const shortestInterval = seconds(1);

/** An interval that a spec sets, and at least a second; undefined where it sets none. */
export function cadenceOf(text: string | undefined): Duration | undefined {
  const interval = positiveDuration(text);
  return interval === undefined ? undefined : milliseconds(Math.max(interval, shortestInterval));
}

/** Cadence after waits and holds: `spec.retryInterval`, else the steady one. */
export function retryIntervalOf(spec: StageSetSpec, settings: RunSettings): Duration {
  return cadenceOf(spec.retryInterval) ?? intervalOf(spec, settings);
}

/** After a success, a shorter `driftDetectionInterval` wins over the steady cadence (part A 5.4). */
function successIntervalOf(spec: StageSetSpec, settings: RunSettings): Duration {
  const steady = intervalOf(spec, settings);
  const drift = cadenceOf(spec.driftDetectionInterval);
  return drift !== undefined && drift < steady ? drift : steady;
}

/**
 * Verify bound of a stage, most specific first (part A 2.8). A value that is zero or negative means
 * "not set", never "expire now".
 */
export function verifyBoundOf(spec: StageSetSpec, stageName: string): Duration {
  return verifyBound(spec, stageName).bound;
}

/** The bound for people, with the field that set it: `5m0s (spec.timeout)`. */
export function describeVerifyBound(spec: StageSetSpec, stageName: string): string {
  const { bound, field } = verifyBound(spec, stageName);
  return `${formatDuration(bound)} (${field})`;
}

function verifyBound(spec: StageSetSpec, name: string): { bound: Duration; field: string } {
  const stage = spec.stages.find((each) => each.name === name);
  const ladder = [
    { text: stage?.readyChecks?.timeout, field: 'readyChecks.timeout of the stage' },
    { text: stage?.timeout, field: 'timeout of the stage' },
    { text: spec.timeout, field: 'spec.timeout' },
  ];
  for (const { text, field } of ladder) {
    const bound = positiveDuration(text);
    if (bound !== undefined) return { bound, field };
  }
  return { bound: minutes(15), field: 'the default' };
}

/** What a stage does when its time is over: the stage's value, else the spec's, else Hold (part A 2.8). */
export function onTimeoutOf(spec: StageSetSpec, stageName: string): OnTimeout {
  const stage = spec.stages.find(({ name }) => name === stageName);
  return stage?.onTimeout ?? spec.onTimeout ?? 'Hold';
}

/**
 * How long objects that are replaced may take to go (part A 5.3): the stage's timeout. `readyChecks`
 * bounds the wait for health only.
 */
export function recreateBoundOf(spec: StageSetSpec, stageName: string): Duration {
  const stage = spec.stages.find(({ name }) => name === stageName);
  return positiveDuration(stage?.timeout) ?? positiveDuration(spec.timeout) ?? minutes(15);
}

/** How long a group that others build on (CRDs, Namespaces, classes) may take (part A 2.8). */
export const establishBound: Duration = minutes(1);

const firstBackoff = seconds(1);
const longestBackoff = seconds(1000);

/** Exponential backoff after the n-th failure in a row, n from 1; at most 1000 s (part A 2.9). */
export function backoff(failures: number): Duration {
  const exponent = Math.min(Math.max(failures - 1, 0), 20);
  return milliseconds(Math.min(firstBackoff * 2 ** exponent, longestBackoff));
}

/**
 * Pauses after the first refusals in a row, so that a permission that is granted soon, by whoever is
 * setting things up, is noticed within seconds: looks after 5, 15, 30 and 60 s, then every minute.
 */
const afterDenials: readonly Duration[] = [seconds(5), seconds(10), seconds(15), seconds(30)];

/** The pause after the n-th failure in a row for lack of a permission, n from 1 (part A 2.9). */
export function pauseAfterDenial(failures: number): Duration {
  return afterDenials[Math.max(failures, 1) - 1] ?? minutes(1);
}

/** The pause after the n-th failure in a row, where the last one may set a bound. */
export function backoffAfter({ longestBackoff: longest }: Failure, failures: number): Duration {
  return milliseconds(Math.min(backoff(failures), longest ?? longestBackoff));
}

const firstLook = 100;
const steadyLook = 2000;
const watchedLook = 30_000;

/**
 * When to look at health again after `looks` looks: soon at first, since most objects settle within
 * a moment, then every 2 s (part A 6.1). Where a watch tells of every change, they begin at 2 s and get
 * as rare as one in 30 s: they are for what time alone changes, and for a watch that says nothing.
 */
export function nextLook(
  now: Instant,
  looks: number,
  news: 'Polled' | 'Watched' = 'Polled',
): Instant {
  const pause =
    news === 'Watched'
      ? Math.min(steadyLook * 2 ** Math.min(Math.max(looks - 1, 0), 10), watchedLook)
      : Math.min(firstLook * 2 ** Math.min(looks, 10), steadyLook);
  return after(now, milliseconds(pause));
}

/** When an ended run is due again, or undefined when only an event can bring it back. */
export function dueAgain(
  { id, startedAt, attempt, outcome }: RunProgress,
  spec: StageSetSpec,
  settings: RunSettings,
): Instant | undefined {
  const seed = `${id}/${startedAt}`;
  switch (outcome?.kind) {
    case undefined:
      return startedAt;
    case 'Succeeded':
      return after(outcome.at, jittered(successIntervalOf(spec, settings), seed));
    case 'Progressing':
      return after(outcome.at, jittered(retryIntervalOf(spec, settings), seed));
    // What is applied stays enforced while a gate holds what is to come.
    case 'Held':
      return after(startedAt, jittered(successIntervalOf(spec, settings), seed));
    case 'Failed':
      return dueAfterFailure(outcome, attempt, seed);
  }
}

/**
 * A span made up to 5 % longer or shorter, so that equal intervals do not all fall due at once
 * (part A 2.1). The seed decides by how much, so that every look at one wait finds the same end.
 */
export function jittered(span: Duration, seed: string): Duration {
  const share = Number.parseInt(sha256Hex(seed).slice(0, 8), 16) / 0xffffffff;
  return milliseconds(span * (0.95 + share / 10));
}

function dueAfterFailure(
  { at, failure }: Extract<RunOutcome, { kind: 'Failed' }>,
  attempt: number,
  seed: string,
): Instant | undefined {
  switch (failure.retry) {
    case 'None':
      return undefined;
    case 'Minute':
      // Many are denied at the same moment, by one Role that is not there yet.
      if (failure.reason === 'RBACDenied')
        return after(at, jittered(pauseAfterDenial(attempt), seed));
      return after(at, minutes(1));
    case 'Backoff': {
      // Another server may ask for any time; ours is bounded.
      const asked = failure.retryAfter ?? 0;
      const pause = backoffAfter(failure, attempt);
      return after(at, milliseconds(Math.max(pause, Math.min(asked, longestBackoff))));
    }
  }
}
