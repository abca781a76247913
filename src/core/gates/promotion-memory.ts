import type { PromotionState } from '../../types/stages.ts';
import {
  after,
  between,
  type Duration,
  type Instant,
  instant,
  timeOf,
  toRfc3339,
} from '../time.ts';

/** What the gates of a stage remember of one revision, read from its status (part B 3.7). */
export interface GateMemory {
  readonly phase: PromotionState['phase'];
  /** When that phase began. */
  readonly since: Instant;
  /** When the gates were asked for the first time; a soak begins then. */
  readonly enteredAt: Instant;
  /** When the soak ends by time alone, as it was fixed when it began. */
  readonly soakUntil: Instant | undefined;
  /** When it was over, by time, by a metric or by a person. */
  readonly soakEndedAt: Instant | undefined;
  /** When restarts and events were counted last. */
  readonly checkedAt: Instant | undefined;
  readonly restarts: readonly RestartTally[];
  /** What the first event check over its limit counted; undefined where none was. */
  readonly events: { readonly check: string; readonly count: number } | undefined;
  readonly analysis: AnalysisMemory;
  readonly fastTrack: PromotionState['lastFastTrack'];
}

/** Container restarts of the pods of one check. */
export interface RestartTally {
  readonly check: string;
  /** Those that had happened before and do not count. */
  readonly baseline: number;
  /** All of them, when they were counted last; undefined before the first time. */
  readonly observed: number | undefined;
}

export interface AnalysisMemory {
  /** Evaluations in a row that failed, of those that were an interval apart. */
  readonly failures: number;
  /** The newest one, counted or not. */
  readonly last: PromotionState['lastAnalysis'];
}

/**
 * The memory in a state; that of a stage which comes to its gates now where the state has none. A
 * clock that was set back leaves times in the future: they count as now, and a soak that began then
 * begins again. So nothing is waited for longer than it says, and no soak is cut short.
 */
export function readMemory(state: PromotionState | undefined, now: Instant): GateMemory {
  const past = (text: string | undefined): Instant | undefined => earliest(timeOf(text), now);
  const entered = timeOf(state?.enteredAt) ?? timeOf(state?.since);
  const soakUntil = timeOf(state?.soakUntil);
  const ended = timeOf(state?.soakEndedAt);
  // What was found out before the soak was over stays before that.
  const inOrder = (text: string | undefined): Instant | undefined => {
    const at = timeOf(text);
    const isBehind = at !== undefined && ended !== undefined && ended > now && at < ended;
    return isBehind ? instant(Math.min(at, now - 1)) : earliest(at, now);
  };
  return {
    phase: state?.phase,
    since: past(state?.since) ?? now,
    enteredAt: earliest(entered, now) ?? now,
    soakUntil: entered !== undefined && entered > now ? moved(soakUntil, entered, now) : soakUntil,
    soakEndedAt: earliest(ended, now) ?? endBefore(state, now),
    checkedAt: inOrder(state?.checkedAt),
    restarts: (state?.restartBaseline ?? []).map(({ name, restarts = 0, observed }) => ({
      check: name,
      baseline: restarts,
      observed,
    })),
    events:
      state?.eventCheck === undefined
        ? undefined
        : { check: state.eventCheck, count: state.observedEvents ?? 0 },
    analysis: {
      failures: state?.analysisFailures ?? 0,
      last: timedAt(state?.lastAnalysis, inOrder(state?.lastAnalysis?.time)),
    },
    fastTrack: timedAt(state?.lastFastTrack, past(state?.lastFastTrack?.time)),
  };
}

/** The state as it is written. `phase` and what blocks are decided by whoever looks at the memory. */
export function writeMemory(
  memory: GateMemory,
  phase: NonNullable<PromotionState['phase']>,
  now: Instant,
): PromotionState {
  const { analysis, events, soakUntil, soakEndedAt, checkedAt } = memory;
  return {
    phase,
    since: toRfc3339(memory.phase === phase ? memory.since : now),
    enteredAt: toPreciseTime(memory.enteredAt),
    ...(soakUntil === undefined ? {} : { soakUntil: toRfc3339(soakUntil) }),
    ...(soakEndedAt === undefined ? {} : { soakEndedAt: toPreciseTime(soakEndedAt) }),
    ...(checkedAt === undefined ? {} : { checkedAt: toPreciseTime(checkedAt) }),
    ...baselineOf(memory.restarts),
    ...(events === undefined ? {} : { eventCheck: events.check, observedEvents: events.count }),
    ...(analysis.failures === 0 ? {} : { analysisFailures: analysis.failures }),
    ...(analysis.last === undefined ? {} : { lastAnalysis: analysis.last }),
    ...(memory.fastTrack === undefined ? {} : { lastFastTrack: memory.fastTrack }),
  };
}

/** The state of a stage that is past its gates: what counts from now on, and what was seen last. */
export function promotedState(
  { analysis }: Pick<GateMemory, 'analysis'>,
  restarts: readonly RestartTally[],
  now: Instant,
): PromotionState {
  return {
    phase: 'Promoted',
    since: toRfc3339(now),
    ...baselineOf(restarts),
    ...(analysis.last === undefined ? {} : { lastAnalysis: analysis.last }),
  };
}

/**
 * What of a stage's memory outlives its revision: the restarts that had happened by the last
 * promotion (part B 3.3). All else belongs to the revision that it was found out about.
 */
export function outlivingRevision(state: PromotionState | undefined): PromotionState | undefined {
  const baseline = (state?.restartBaseline ?? []).map(({ name, restarts = 0 }) => ({
    name,
    restarts,
  }));
  return baseline.length === 0 ? undefined : { restartBaseline: baseline };
}

/** RFC 3339 in UTC with milliseconds: what is counted in intervals must not be rounded. */
export function toPreciseTime(at: Instant): string {
  return new Date(at).toISOString();
}

/** A soak that began in the future begins now, and is as long as it was. */
function moved(until: Instant | undefined, entered: Instant, now: Instant): Instant | undefined {
  return until === undefined ? undefined : after(now, positive(between(entered, until)));
}

function positive(span: Duration): Duration {
  return span > 0 ? span : between(instant(0), instant(0));
}

/** Who recorded a phase behind the soak before this was recorded as well. */
function endBefore(state: PromotionState | undefined, now: Instant): Instant | undefined {
  if (state?.enteredAt !== undefined) return undefined;
  const isBehind = state?.phase === 'Analyzing' || state?.phase === 'AwaitingManual';
  return isBehind ? (earliest(timeOf(state.since), now) ?? now) : undefined;
}

function timedAt<Look extends { time?: string }>(
  look: Look | undefined,
  time: Instant | undefined,
): Look | undefined {
  if (look === undefined || time === undefined) return undefined;
  return timeOf(look.time) === time ? look : { ...look, time: toPreciseTime(time) };
}

function earliest(one: Instant | undefined, other: Instant): Instant | undefined {
  return one === undefined || one <= other ? one : other;
}

function baselineOf(tallies: readonly RestartTally[]): Pick<PromotionState, 'restartBaseline'> {
  if (tallies.length === 0) return {};
  return {
    restartBaseline: tallies.map(({ check, baseline, observed }) => ({
      name: check,
      restarts: baseline,
      ...(observed === undefined ? {} : { observed }),
    })),
  };
}
