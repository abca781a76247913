import type { Gate } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import { after, type Instant, minutes, seconds } from '../time.ts';
import { type Answer, type Ask, askKey } from './asks.ts';
import type { GateMemory } from './promotion-memory.ts';
import type { PromotionQuestion, ReadTrouble } from './promotion-question.ts';

/** What came of looking at something that a gate must know. */
export interface Look {
  /** With what was judged, where all answers were there. */
  readonly memory: GateMemory;
  /** To be found out now. */
  readonly asks: readonly Ask[];
  /** The API server refused to tell. */
  readonly refusal?: Refusal;
  /** Nobody could tell; asked again at `trouble.retryAt`. */
  readonly trouble?: ReadTrouble;
}

export interface Refusal {
  readonly gate: Gate;
  /** Who needs which verb on what. */
  readonly message: string;
  /** When it is asked again; undefined while it is. */
  readonly until: Instant | undefined;
}

/** After a refusal (part B 3.5). */
const pauseAfterDenial = minutes(1);

/** An answer may come in a moment after the clock was read. */
const leeway = seconds(1);

/**
 * The answer to an ask that was due then. Older ones tell of another world, and so do those of a
 * clock that has been set back since.
 */
export function answerTo(
  ask: Ask,
  due: Instant,
  { answers, now }: PromotionQuestion,
): Answer | undefined {
  const answer = answers.get(askKey(ask));
  if (answer === undefined || answer.at < due || answer.at > after(now, leeway)) return undefined;
  return answer;
}

/** An ask of a gate, and what came of it by now. */
export interface Asked {
  readonly gate: Gate;
  readonly ask: Ask;
  readonly answer: Answer | undefined;
}

/** The first refusal among them, and when it is asked again. */
export function refusalAmong(asked: readonly Asked[], now: Instant): Refusal | undefined {
  for (const { gate, answer } of asked) {
    if (answer?.kind !== 'Denied') continue;
    const until = after(answer.at, pauseAfterDenial);
    return { gate, message: answer.message, until: now < until ? until : undefined };
  }
  return undefined;
}

/** Whether it was due and could not be judged. */
export function isOpen({ asks, refusal, trouble }: Look): boolean {
  return asks.length > 0 || refusal !== undefined || trouble !== undefined;
}

/** Nothing is due, or nothing is asked. */
export function unchanged(memory: GateMemory): Look {
  return { memory, asks: [] };
}

/** Asks that want to know the same are one. */
export function distinct(asks: readonly Ask[]): Ask[] {
  return [...new Map(asks.map((ask) => [askKey(ask), ask])).values()];
}
