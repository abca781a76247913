import { positiveDuration } from '../duration.ts';
import { cadenceOf } from '../schedule.ts';
import { after, type Duration, type Instant, milliseconds } from '../time.ts';
import { type GateMemory, timeOf } from './promotion-memory.ts';
import type { PromotionQuestion } from './promotion-question.ts';
import { openingSince, soakedAt } from './soak.ts';

/** Pause between two evaluations of the analysis (part B 3.1). */
export function analysisIntervalOf({ promotion, retryInterval }: PromotionQuestion): Duration {
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
  const { checkedAt, enteredAt } = memory;
  return dueAfter(checkedAt, question.retryInterval, enteredAt, openingSince(memory, question));
}

/** When the analysis is due, likewise. One that never holds is due at intervals only. */
export function analysisDueAt(memory: GateMemory, question: PromotionQuestion): Instant {
  const isDry = question.promotion?.analysis?.dryRun === true;
  const opening = isDry ? undefined : openingSince(memory, question);
  return dueAfter(analysedAt(memory), analysisIntervalOf(question), memory.enteredAt, opening);
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
export function analysedAt({ analysis }: GateMemory): Instant | undefined {
  return timeOf(analysis.last?.time);
}

function dueAfter(
  last: Instant | undefined,
  pause: Duration,
  enteredAt: Instant,
  opening: Instant | undefined,
): Instant {
  if (last === undefined) return enteredAt;
  return opening !== undefined && last < opening ? opening : after(last, pause);
}
