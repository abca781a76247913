import type { EventCheck } from '../../types/stages.ts';
import type { Ask } from './asks.ts';
import type { GateMemory } from './promotion-memory.ts';
import { isPassed, type PromotionQuestion } from './promotion-question.ts';
import { type Breach, onFailureOf } from './restart-gate.ts';

/** The checks of the gate; none where it is not asked, or passed by hand. */
export function eventChecks(question: PromotionQuestion): readonly EventCheck[] {
  if (isPassed('EventGate', question)) return [];
  return question.promotion?.eventGate?.checks ?? [];
}

export function eventAsk({ stage }: PromotionQuestion, check: EventCheck): Ask {
  return { kind: 'Events', stage, check };
}

/** The first check over its limit, with what it counted (part B 3.4). */
export function overLimit(
  counts: readonly { readonly check: EventCheck; readonly count: number }[],
): GateMemory['events'] {
  const first = counts.find(({ check, count }) => count > (check.maxEvents ?? 0));
  return first === undefined ? undefined : { check: first.check.name, count: first.count };
}

/** What blocks of what was counted last; a limit that was raised since lets it pass. */
export function eventBreach(
  events: GateMemory['events'],
  question: PromotionQuestion,
): Breach | undefined {
  const check = eventChecks(question).find(({ name }) => name === events?.check);
  const limit = check?.maxEvents ?? 0;
  if (events === undefined || check === undefined || events.count <= limit) return undefined;
  const onFailure = onFailureOf(question.promotion?.eventGate, check);
  return { check: check.name, count: events.count, limit, onFailure };
}
