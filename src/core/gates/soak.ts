import { positiveDuration } from '../duration.ts';
import { after, type Instant, toWholeSecond } from '../time.ts';
import type { GateMemory } from './promotion-memory.ts';
import { type PromotionQuestion, passedAt } from './promotion-question.ts';

/**
 * The memory with the end of the soak, which is fixed when the stage comes to its gates, and goes on
 * while another gate blocks (part B 3.2, step 7). A longer `soak` in the spec moves it back; nothing
 * moves it forward, neither a shorter one nor an end in the status that is too early for the spec.
 */
export function withSoak(memory: GateMemory, question: PromotionQuestion): GateMemory {
  const soak = positiveDuration(question.promotion?.soak);
  if (soak === undefined || memory.soakEndedAt !== undefined) return memory;
  const least = toWholeSecond(after(memory.enteredAt, soak));
  const recorded = memory.soakUntil;
  const soakUntil = recorded !== undefined && recorded > least ? recorded : least;
  const isOver = soakUntil <= question.now;
  return { ...memory, soakUntil, ...(isOver ? { soakEndedAt: soakUntil } : {}) };
}

/** When the soak was over, or that of a stage without one began; undefined while it goes on. */
export function soakedAt(memory: GateMemory, question: PromotionQuestion): Instant | undefined {
  if (memory.soakEndedAt !== undefined) return memory.soakEndedAt;
  if (positiveDuration(question.promotion?.soak) === undefined) return memory.enteredAt;
  return passedAt('Soak', question, memory.enteredAt);
}

/**
 * Since when nothing but what is asked outside keeps the stage: what was found out before does not
 * let it pass. Undefined while time or a person is waited for.
 */
export function openingSince(memory: GateMemory, question: PromotionQuestion): Instant | undefined {
  const soaked = soakedAt(memory, question);
  if (soaked === undefined || question.promotion?.requireManualPromotion !== true) return soaked;
  const promoted = passedAt('ManualPromotion', question, memory.enteredAt);
  return promoted === undefined || promoted > soaked ? promoted : soaked;
}
