import type { Gate } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import { backoff } from '../schedule.ts';
import { after, type Instant } from '../time.ts';
import type { Answer, Ask } from './asks.ts';
import { eventAsk, eventChecks, overLimit } from './event-gate.ts';
import { type Asked, answerTo, type Look, refusalAmong, unchanged } from './gate-look.ts';
import { podsDueAt } from './promotion-cadence.ts';
import type { GateMemory } from './promotion-memory.ts';
import type { PromotionQuestion, ReadTrouble } from './promotion-question.ts';
import { counted, restartAsk, restartChecks } from './restart-gate.ts';

/**
 * Counts the restarts and events of a stage's pods when that is due (part B 3.3 to 3.5). One that is
 * refused or cannot be read leaves all that is known as it is.
 */
export function lookAtPods(memory: GateMemory, question: PromotionQuestion): Look {
  const due = podsDueAt(memory, question);
  const restarts = restartChecks(question);
  const events = eventChecks(question);
  if (due > question.now || restarts.length + events.length === 0) return unchanged(memory);
  const asked = [
    ...restarts.map((check) => of('RestartGate', restartAsk(question, check))),
    ...events.map((check) => of('EventGate', eventAsk(question, check))),
  ];
  const open = asked.filter(({ answer }) => answer?.kind !== 'Value').map(({ ask }) => ask);
  if (open.length === 0) return { memory: judged(memory, question, due), asks: [] };
  const refusal = refusalAmong(asked, question.now);
  if (refusal !== undefined) {
    return { memory, asks: refusal.until === undefined ? open : [], refusal };
  }
  const trouble = troubleAmong(asked, question);
  const isPausing = trouble !== undefined && question.now < trouble.retryAt;
  return isPausing ? { memory, asks: [], trouble } : { memory, asks: open };

  function of(gate: Gate, ask: Ask): Asked {
    return { gate, ask, answer: answerTo(ask, due, question) };
  }
}

/** The pause gets longer with each failure in a row. */
function troubleAmong(
  asked: readonly Asked[],
  { trouble, now }: PromotionQuestion,
): ReadTrouble | undefined {
  const failed = asked.flatMap(({ answer }) => (answer?.kind === 'Unreadable' ? [answer] : []));
  const newest = failed.toSorted((one, other) => other.at - one.at)[0];
  if (newest === undefined) return undefined;
  return isNew(newest, trouble, now) ? troubleAfter(newest, trouble) : trouble;
}

function isNew({ at }: Answer, trouble: ReadTrouble | undefined, now: Instant): boolean {
  return trouble === undefined || trouble.at < at || trouble.at > now;
}

function troubleAfter(
  { at, message }: Extract<Answer, { kind: 'Unreadable' }>,
  before: ReadTrouble | undefined,
): ReadTrouble {
  const failures = (before?.failures ?? 0) + 1;
  return { message, failures, at, retryAt: after(at, backoff(failures)) };
}

function judged(memory: GateMemory, question: PromotionQuestion, due: Instant): GateMemory {
  const value = (ask: Ask): number => {
    const answer = answerTo(ask, due, question);
    return answer?.kind === 'Value' ? answer.value : 0;
  };
  const restarts = (question.promotion?.restartGate?.checks ?? []).flatMap((check) => {
    const before = memory.restarts.find((tally) => tally.check === check.name);
    // What was passed by hand is not counted, and what is known of it stays.
    if (!restartChecks(question).includes(check)) return before ?? [];
    return counted(before, check, value(restartAsk(question, check)));
  });
  const events = eventChecks(question).map((check) => ({
    check,
    count: value(eventAsk(question, check)),
  }));
  return { ...memory, checkedAt: question.now, restarts, events: overLimit(events) };
}
