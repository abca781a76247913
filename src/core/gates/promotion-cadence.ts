import { positiveDuration } from '../duration.ts';
import { cadenceOf } from '../schedule.ts';
import { after, type Duration, type Instant, milliseconds, timeOf } from '../time.ts';
import { type GateMemory } from './promotion-memory.ts';
import type { PromotionQuestion } from './promotion-question.ts';
import { openingSince, soakedAt } from './soak.ts';

/** Pause between two evaluations of the analysis (part B 3.1). */
function analysisIntervalOf({ promotion, retryInterval }: PromotionQuestion): Duration {
  return cadenceOf(promotion?.analysis?.interval) ?? retryInterval;
}

/** Pause between two readings of the metric that may end a soak: with the analysis, where there is one. */
function fastTrackIntervalOf(question: PromotionQuestion): Duration {
  return question.promotion?.analysis === undefined
    ? question.retryInterval
    : analysisIntervalOf(question);
}

/** When restarts and events are due to be counted: at each interval, and when the stage would pass. */
export function podsDueAt(memory: GateMemory, question: PromotionQuestion): Instant {
  const opening = openingSince(memory, question);
  return dueAfter(memory.checkedAt, question.retryInterval, memory.enteredAt, {
    opening,
    openAt: question.open.includes('Pods') ? question.now : undefined,
  });
}

/** When the analysis is due, likewise. One that never holds is due at intervals only. */
export function analysisDueAt(memory: GateMemory, question: PromotionQuestion): Instant {
  const isDry = question.promotion?.analysis?.dryRun === true;
  const opening = isDry ? undefined : openingSince(memory, question);
  return dueAfter(analysedAt(memory), analysisIntervalOf(question), memory.enteredAt, {
    opening,
    openAt: question.open.includes('Analysis') ? question.now : undefined,
  });
}

/** Whether an evaluation now counts: they are told apart by their intervals, not by wake-ups. */
export function countsNow(memory: GateMemory, question: PromotionQuestion): boolean {
  const last = analysedAt(memory);
  return last === undefined || after(last, analysisIntervalOf(question)) <= question.now;
}

/** When the metric of `fastTrack` is due; undefined where no soak goes on that it could end. */
export function fastTrackDueAt(
  memory: GateMemory,
  question: PromotionQuestion,
): Instant | undefined {
  const fastTrack = question.promotion?.fastTrack;
  if (fastTrack === undefined || soakedAt(memory, question) !== undefined) return undefined;
  const earliest = after(memory.enteredAt, positiveDuration(fastTrack.after) ?? milliseconds(0));
  const last = timeOf(memory.fastTrack?.time);
  const next = last === undefined ? earliest : after(last, fastTrackIntervalOf(question));
  return next > earliest ? next : earliest;
}

/** When the analysis was evaluated last. */
function analysedAt({ analysis }: GateMemory): Instant | undefined {
  return timeOf(analysis.last?.time);
}

interface Urgency {
  /** Since when the stage would pass, with what is known. */
  readonly opening: Instant | undefined;
  /** Now, where it was due before and could not be judged. */
  readonly openAt: Instant | undefined;
}

function dueAfter(
  last: Instant | undefined,
  pause: Duration,
  enteredAt: Instant,
  { opening, openAt }: Urgency,
): Instant {
  if (last === undefined) return enteredAt;
  const due = opening !== undefined && last < opening ? opening : after(last, pause);
  // What was due stays due, also when the clock is set back to a time at which it was not.
  return openAt !== undefined && openAt < due ? last : due;
}
