import { cutMessage } from '../conditions.ts';
import type { Answer, Ask } from './asks.ts';
import { parseDecimal } from './decimal.ts';
import { answerTo, type Look, unchanged } from './gate-look.ts';
import { fastTrackDueAt } from './promotion-cadence.ts';
import { type GateMemory, toPreciseTime } from './promotion-memory.ts';
import type { PromotionQuestion } from './promotion-question.ts';

/** Of the error, in the status. */
const longestError = 512;

/**
 * Ends a soak whose metric is good, after the part of it that always has to pass (part B 3.2). What
 * cannot be read or is refused leaves the soak as it is: no soak gets longer by it.
 */
export function lookAtFastTrack(memory: GateMemory, question: PromotionQuestion): Look {
  const fastTrack = question.promotion?.fastTrack;
  const due = fastTrackDueAt(memory, question);
  if (fastTrack === undefined || due === undefined || due > question.now) {
    return unchanged(memory);
  }
  const ask: Ask = { kind: 'Metric', source: fastTrack.source };
  const answer = answerTo(ask, due, question);
  if (answer === undefined) return { memory, asks: [ask] };
  const seen = { ...memory, fastTrack: readingOf(answer, question) };
  const isOver = isGood(answer, fastTrack.max);
  return { memory: isOver ? { ...seen, soakEndedAt: question.now } : seen, asks: [] };
}

function isGood(answer: Answer, max: string): boolean {
  const most = parseDecimal(max);
  return answer.kind === 'Value' && most !== undefined && answer.value <= most;
}

function readingOf(answer: Answer, { now }: PromotionQuestion): GateMemory['fastTrack'] {
  const time = toPreciseTime(now);
  return answer.kind === 'Value'
    ? { time, value: String(answer.value) }
    : { time, error: cutMessage(answer.message, longestError) };
}
