import { type Answer, type Ask, askKey } from '../../../../src/core/gates/asks.ts';
import type { PromotionHold } from '../../../../src/core/gates/at-gates.ts';
import { decidePromotion, type PromotionVerdict } from '../../../../src/core/gates/promotion.ts';
import type { PromotionQuestion } from '../../../../src/core/gates/promotion-question.ts';
import { after, type Instant, minutes, seconds } from '../../../../src/core/time.ts';
import type {
  EventCheck,
  MetricSource,
  Promotion,
  PromotionState,
  RestartCheck,
} from '../../../../src/types/stages.ts';
import { noon, specOf, stageSetOf } from '../snapshot-builder.ts';

export const webRestarts: RestartCheck = {
  name: 'web',
  selector: { matchLabels: { app: 'web' } },
  maxRestarts: 2,
};

export const webEvents: EventCheck = {
  name: 'web',
  selector: { matchLabels: { app: 'web' } },
  reasons: ['BackOff'],
};

/** A metric that is told from others by its query. */
export function metric(query: string): MetricSource {
  return { prometheus: { address: 'https://prometheus.example.com', query } };
}

/** What somebody says of an ask: a number, or why there is none. */
export type Saying = number | { readonly unreadable: string } | { readonly denied: string };

/** A stage of StageSet `team/shop` that is at its gates, and whoever answers what those ask. */
export class StageAtGates {
  promotion: Promotion | undefined;
  revision = 'v1';
  now: Instant = noon;
  state: PromotionState | undefined;
  more: Partial<PromotionQuestion> = {};
  /** How often each kind of ask was answered. */
  readonly told: Record<Ask['kind'], Instant[]> = { Metric: [], Restarts: [], Events: [] };
  readonly #answers = new Map<string, Answer>();
  #trouble: PromotionQuestion['trouble'];
  #open: PromotionQuestion['open'] = [];

  constructor(promotion: Promotion | undefined, state?: PromotionState) {
    this.promotion = promotion;
    this.state = state;
  }

  /** Decides once, with what is known. */
  look(): PromotionVerdict {
    const verdict = decidePromotion({
      stageSet: stageSetOf(specOf(['dev'])),
      stage: 'dev',
      promotion: this.promotion,
      revision: this.revision,
      state: this.state,
      handled: undefined,
      request: undefined,
      advances: [],
      answers: this.#answers,
      retryInterval: minutes(1),
      trouble: this.#trouble,
      open: this.#open,
      now: this.now,
      ...this.more,
    });
    this.#trouble = 'trouble' in verdict ? verdict.trouble : undefined;
    this.#open = 'open' in verdict ? verdict.open : [];
    if (verdict.kind === 'Promoted') this.state = verdict.passage.state;
    else this.state = verdict.kind === 'Held' ? verdict.hold.state : verdict.state;
    return verdict;
  }

  /** Decides, and has what is asked answered at once, until nothing more is asked. */
  settle(say: (ask: Ask) => Saying): PromotionVerdict {
    for (let turns = 0; turns < 10; turns += 1) {
      const verdict = this.look();
      if (!('asks' in verdict) || verdict.asks.length === 0) return verdict;
      for (const ask of verdict.asks) this.answer(ask, say(ask));
    }
    throw new Error('it asks without end');
  }

  answer(ask: Ask, said: Saying): void {
    const at = this.now;
    this.told[ask.kind].push(at);
    this.#answers.set(askKey(ask), answerOf(said, at));
  }

  /** Time passes. */
  wait(span: string): this {
    const [, count = '', unit] = /^(-?\d+)([sm])$/.exec(span) ?? [];
    const passed = unit === 'm' ? minutes(Number(count)) : seconds(Number(count));
    this.now = after(this.now, passed);
    return this;
  }

  /** The controller restarts: the status is all that is left. */
  restart(): void {
    this.#answers.clear();
    this.#trouble = undefined;
    this.#open = [];
  }
}

function answerOf(said: Saying, at: Instant): Answer {
  if (typeof said === 'number') return { kind: 'Value', value: said, at };
  return 'denied' in said
    ? { kind: 'Denied', message: said.denied, at }
    : { kind: 'Unreadable', message: said.unreadable, at };
}

/** The hold of a verdict that is one. */
export function heldBy(verdict: PromotionVerdict): PromotionHold {
  if (verdict.kind === 'Promoted' || (verdict.kind !== 'Held' && verdict.hold === undefined)) {
    throw new Error(`it is not held: ${verdict.kind}`);
  }
  const { hold } = verdict;
  if (hold === undefined) throw new Error('it is not held');
  return hold;
}

export function gatesOf(verdict: PromotionVerdict): string[] {
  return heldBy(verdict).holds.map(({ gate }) => gate);
}
